"""What exceptions mean."""

import errno

import pytest
import torch

from audiofix.errors import AudiofixError, CheckpointError, InputError, OutputError, UsageError
from audiofix.exit_status import ExitStatus
from audiofix.jobs.failures import Failure, failure_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 2),
        (InputError("x"), 3),
        (CheckpointError("x"), 4),
        (MemoryError(), 5),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), 5),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 5),
        (OutputError("x"), 6),
        (OSError(errno.ENOSPC, "No space left on device"), 6),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141),
        (RuntimeError("shape mismatch"), 1),
        (AudiofixError("x"), 1),
    ],
)
def test_statuses(error: Exception, status: int) -> None:
    failure = failure_of(error)
    assert failure.status == status
    assert "\n" not in failure.message


def test_messages_are_one_line() -> None:
    assert failure_of(InputError("a.wav: cut:\n  get it again")).message == (
        "a.wav: cut: get it again"
    )


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6, 7])
def test_a_failure_becomes_an_error_of_its_status(status: int) -> None:
    error = Failure(ExitStatus(status), "x: y: z").error()
    assert (int(error.status), str(error)) == (status, "x: y: z")
