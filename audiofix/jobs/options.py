"""What the command line says about jobs, whatever the verb."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from audiofix.errors import UsageError

LIVE_THREADS = 1
"""Of a command with `--realtime`: its steps are short, and its neighbours compute, too."""


class Shell(Protocol):
    """What the process shell gives a verb, as click's context object."""

    def configure(self, *, quiet: bool, verbosity: int, progress: bool | None) -> None:
        """Set how much is said on stderr; `progress` None means bars on a terminal."""
        ...

    def bar(
        self, title: str, total: float | None, unit: str, start: float = 0.0
    ) -> AbstractContextManager[Callable[..., None] | None]:
        """Open a progress bar that is told how much is done; None where none is shown."""
        ...

    def note(self, message: str) -> None:
        """Tell somebody at a terminal, unless they asked for quiet."""
        ...


@dataclass(frozen=True, slots=True)
class Computing:
    """Which model computes, and where.

    Attributes:
        model: a catalogue name or a checkpoint file; None takes the verb's default.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        offline: True never touches the network; None asks `AUDIOFIX_OFFLINE`.
    """

    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    offline: bool | None = None


@dataclass(frozen=True, slots=True)
class AudioOptions:
    """The shared options of an audio verb, as the user gave them."""

    inputs: tuple[str, ...]
    output: str | None
    kind: str | None
    bits: str | None
    rate: int | None
    channels: int | None
    encoding: str | None
    model: str | None
    device: str
    precision: str
    threads: int | None
    start: float
    duration: float | None
    seed: int
    jobs: int
    ray: str | None
    manifest: str | None
    shard: tuple[int, int] | None
    skip_existing: bool
    overwrite: bool
    keep_going: bool
    offline: bool

    @property
    def listed(self) -> bool:
        """Whether the work is a manifest's, or one shard of it, and a journal is kept."""
        return bool(self.manifest or self.shard)

    @property
    def computing(self) -> Computing:
        """Which model computes, and where."""
        return Computing(self.model, self.device, self.precision, self.offline or None)


def inputs_or_pipe(inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the inputs, `-` where there are none and standard input is not a terminal.

    Raises:
        UsageError: there is nothing to read.
    """
    if inputs:
        return inputs
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("input: none given: name a file or a folder, or pipe audio in")
    return ("-",)


def use_threads(threads: int | None) -> None:
    """Let numerical libraries, which are not loaded yet, use so many threads."""
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)


def thread_share(options: AudioOptions) -> int | None:
    """Return the CPU threads of one process: --threads, or an equal share among the jobs."""
    if options.threads is not None or options.jobs == 1:
        return options.threads
    return max(1, (os.cpu_count() or 1) // options.jobs)
