"""What an exception means to a user: an exit status and one line."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass

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
