"""What an exception means to a user: an exit status and one line."""

import errno
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from audiofix.errors import (
    AudiofixError,
    BatchError,
    CheckpointError,
    DeviceError,
    InputError,
    OutputError,
    UsageError,
)
from audiofix.exit_status import ExitStatus

_CLASSES: Iterable[type[AudiofixError]] = (
    UsageError, InputError, CheckpointError, DeviceError, OutputError, BatchError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done."""

    status: ExitStatus
    message: str

    def error(self) -> AudiofixError:
        """Return the error that ends a process with this failure's status and message."""
        for kind in _CLASSES:
            if kind.status is self.status:
                return kind(self.message)
        return AudiofixError(self.message)


def failure_of(error: BaseException) -> Failure:
    """Return the status and the line that belong to an exception."""
    if isinstance(error, AudiofixError):
        return Failure(error.status, one_line(str(error)))
    if isinstance(error, BrokenPipeError):
        return Failure(ExitStatus.PIPE_CLOSED, "output: its reader went away")
    if _out_of_memory(error):
        advice = "use --device cpu, another --precision or fewer --jobs"
        return Failure(ExitStatus.DEVICE, f"memory: not enough for this model: {advice}")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Failure(ExitStatus.OUTPUT, f"output: {error.strerror}: free some space")
    what = one_line(f"{type(error).__name__}: {error}").rstrip(": ")
    return Failure(
        ExitStatus.FAILURE,
        f"defect in audiofix: {what}: please report it with the output of -v",
    )


def one_line(message: str) -> str:
    """Return `message` without line breaks."""
    return " ".join(message.split())


def _out_of_memory(error: BaseException) -> bool:
    """Recognise every way to run out of memory, without importing torch to learn its classes."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


class Terminated(BaseException):
    """A signal asked this process to end. Not an `Exception`: only clean-up may stop it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def end_cleanly_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into `Terminated`, so that unfinished files are removed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # `nohup` and the like ignore a signal on purpose: leave that be.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def _terminate(number: int, _: FrameType | None) -> None:
    raise Terminated(number)


@contextmanager
def postponed_signals() -> Iterator[Callable[[], bool]]:
    """Hold SIGINT and SIGTERM back until the block has ended; a second one comes through at once.

    Yields:
        A function that tells whether a signal came, so that the block can finish its work.
    """
    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    came: list[int] = []

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def hold(number: int, _: FrameType | None) -> None:
        came.append(number)
        restore()

    for number in before:
        signal.signal(number, hold)
    try:
        yield lambda: bool(came)
    finally:
        restore()
    if came:
        signal.raise_signal(came[0])
