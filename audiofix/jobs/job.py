"""What an effect is, and what a job is: one input, or none, and one output.

Verbs import this module when they are only asked for help: it loads nothing.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from audiofix.audio.folder import Wanted
    from audiofix.audio.format import AudioFormat
    from audiofix.audio.source import Headerless, Source

PIPE = Path("-")
"""Standard input as a job's source, standard output as its output."""

Progress = Callable[["Source"], Callable[[int], None] | None]
"""Makes, for an opened source, what takes the samples done so far."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Attributes:
        name: what messages call it.
        source: a file, or `PIPE`; None where nothing is read: a microphone, `generate`.
        output: a file, or `PIPE`; None where nothing is written: a loudspeaker.
    """

    name: str
    source: Path | None
    output: Path | None


@dataclass(frozen=True, slots=True)
class IOOptions:
    """How inputs are read and outputs are written; `digests` for a journal.

    Attributes:
        start: seconds of sound that are left out at the beginning.
        duration: seconds of sound from there on that are used; None for the rest.
        latencies: of the stage, that are read at once; more keep more processes busy.
    """

    headerless: "Headerless | None" = None
    kind: str | None = None
    bits: str | None = None
    overwrite: bool = False
    seed: int = 0
    digests: bool = False
    start: float = 0.0
    duration: float | None = None
    latencies: int = 2


@dataclass(frozen=True, slots=True)
class Stream:
    """What is known of an opened source before any of its samples is read.

    Attributes:
        name: what messages call it.
        format: rate and channels.
        samples: its length per channel; None where nobody knows.
    """

    name: str
    format: "AudioFormat"
    samples: int | None = None


class Effect(Hashable, Protocol):
    """What a verb does: small, frozen, picklable, so that other processes can do it."""

    @property
    def makes(self) -> str | None:
        """The extension of results that are always of one kind; None leaves it to the user."""
        ...

    @property
    def reads(self) -> bool:
        """Whether it has an input; `generate` and a microphone have none."""
        ...

    @property
    def writes(self) -> bool:
        """Whether it has an output; a loudspeaker has none."""
        ...

    @property
    def takes(self) -> "Wanted":
        """What the inputs in a folder are."""
        ...

    def load(self) -> Any:
        """Load the model, once a process."""
        ...

    def run(
        self,
        job: Job,
        loaded: Callable[[], Any],
        io: IOOptions,
        progress: Progress | None = None,
    ) -> None:
        """Do one job.

        Args:
            job: the input and the output.
            loaded: returns what `load` gave, loading at the first call; a bad input is found
                before.
            io: how to read and write.
            progress: makes, for an opened source, what takes the samples done so far.
        """
        ...
