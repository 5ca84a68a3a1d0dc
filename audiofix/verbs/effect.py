"""What a verb does to its inputs, as one object that other processes can take over.

Verbs import this module when they are only asked for help: it loads nothing.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from audiofix.audio.folder import Pair
    from audiofix.audio.format import AudioFormat
    from audiofix.audio.source import Headerless, Source
    from audiofix.streaming.stage import Stage

StageMaker = Callable[["AudioFormat"], "Stage"]
"""Gives a fresh stage for a stream of this format."""

Progress = Callable[["Source"], Callable[[int], None] | None]
"""Makes, for an opened source, what takes the samples done so far."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How outputs are written and headerless inputs are read."""

    headerless: "Headerless | None"
    kind: str | None
    bits: str | None
    overwrite: bool
    seed: int


class Effect(Hashable, Protocol):
    """What a verb does: small, frozen, picklable, so that other processes can do it."""

    @property
    def makes(self) -> str | None:
        """The extension of results that are always of one kind; None leaves it to the user."""
        ...

    def takes(self, path: Path) -> bool:
        """Tell whether a file found in a folder is an input of this verb."""
        ...

    def load(self) -> Any:
        """Load the model, once; `process` gets what this returns."""
        ...

    def process(
        self,
        pair: "Pair",
        loaded: Callable[[], Any],
        writing: Writing,
        progress: Progress | None = None,
    ) -> None:
        """Turn one input into its output.

        Args:
            pair: the input and the output; `-` stands for the pipes.
            loaded: loads the model at the first call; bad input is found before.
            writing: how to read and write.
            progress: makes, for an opened source, what takes the samples done so far.
        """
        ...


class SoundEffect:
    """An effect from sound to sound: `load` returns a `StageMaker`."""

    makes: str | None = None

    def takes(self, path: Path) -> bool:
        """Tell audio by its content."""
        from audiofix.audio.folder import is_audio

        return is_audio(path)

    def process(
        self,
        pair: "Pair",
        loaded: "Callable[[], StageMaker]",
        writing: Writing,
        progress: Progress | None = None,
    ) -> None:
        """Send one input through a fresh stage into its output."""
        from audiofix.verbs.pipeline import process_sound

        process_sound(pair, loaded, writing, progress)
