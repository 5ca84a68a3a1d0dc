"""What a published model family declares of itself. Names modules, imports none of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Example = tuple[str, str]
"""What a command is for, and the line to type."""


@dataclass(frozen=True, slots=True)
class System:
    """A model family: what it can do, and where the code for that is.

    Attributes:
        name: what the catalogue and checkpoints call it.
        tasks: task -> `module:open`, where `open(checkpoint, placement)` returns what `tasks.py`
            says of the task.
        networks: network -> `module:build`, where `build(config)` returns it with fresh weights.
        released: the module whose `recognise(tensors)` tells the family's own files, and whose
            `read(parts)` returns the settings and tensors in them; None while there is none.
        recipes: recipe -> `module:Class` of its training.
        examples: verb -> commands with a model or a recipe of the family, for the verb's help.
        import_words: the words of `models import` for a model in several files; empty where the
            authors publish one file.
        largest_bytes: of the weights of its largest published model, in memory; None where all of
            them ship with audiofix.
        weightless: whether it computes without a checkpoint; then its name is its one model, and
            the default of its tasks.
    """

    name: str
    tasks: Mapping[str, str]
    networks: Mapping[str, str]
    released: str | None = None
    recipes: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    import_words: str = ""
    largest_bytes: int | None = None
    weightless: bool = False


def imported(place: str) -> Callable[..., Any]:
    """Return the object that `module:name` stands for."""
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
