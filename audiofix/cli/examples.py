"""Examples of commands, at the end of their help and in their manual pages.

Those that need no certain model stand beside their verb; the others, beside the system of theirs.
"""

from collections.abc import Sequence
from importlib import import_module

import click

from audiofix.backends.system import Example
from audiofix.backends.table import SYSTEMS
from audiofix.verbs import VERBS


def examples_of(words: Sequence[str]) -> list[Example]:
    """Return the examples of a verb, or of a command below one: `["models", "pull"]`."""
    verb = words[0]
    found = list(getattr(import_module(VERBS[verb][0]), "EXAMPLES", ()))
    found += [example for system in SYSTEMS for example in system.examples.get(verb, ())]
    if len(words) == 1:
        return found
    start = " ".join(["audiofix", *words, ""])
    return [(title, line) for title, line in found if f"{line} ".startswith(start)]


def show_examples(command: click.Command, words: Sequence[str]) -> None:
    """Let the help of a verb, and of the commands below it, end with examples."""
    lines = [f"  {title}:\n    {line}" for title, line in examples_of(words)]
    # Behind a \b click leaves a paragraph's lines as they are.
    command.epilog = "\n".join(["\b", "Examples:", *lines]) if lines else None
    for name, below in getattr(command, "commands", {}).items():
        show_examples(below, [*words, name])
