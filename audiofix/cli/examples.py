"""Examples of commands, at the end of their help and in their manual pages."""

from collections.abc import Sequence
from importlib import import_module

import click

from audiofix.verbs import VERBS

Example = tuple[str, str]
"""What it is for, and the line to type."""


def examples_of(words: Sequence[str]) -> list[Example]:
    """Return the examples of a verb, or of a command below one: `["models", "pull"]`."""
    found: Sequence[Example] = getattr(import_module(VERBS[words[0]][0]), "EXAMPLES", ())
    if len(words) == 1:
        return list(found)
    start = " ".join(["audiofix", *words, ""])
    return [(title, line) for title, line in found if f"{line} ".startswith(start)]


def show_examples(command: click.Command, words: Sequence[str]) -> None:
    """Let the help of a verb, and of the commands below it, end with examples."""
    lines = [f"  {title}:\n    {line}" for title, line in examples_of(words)]
    # Behind a \b click leaves a paragraph's lines as they are.
    command.epilog = "\n".join(["\b", "Examples:", *lines]) if lines else None
    for name, below in getattr(command, "commands", {}).items():
        show_examples(below, [*words, name])
