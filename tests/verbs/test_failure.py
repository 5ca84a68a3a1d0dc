"""What exceptions mean."""

import errno
import signal
from collections.abc import Iterator

import pytest
import torch

from audiofix.errors import AudiofixError, CheckpointError, InputError, OutputError, UsageError
from audiofix.exit_status import ExitStatus
from audiofix.verbs.failure import (
    Failure,
    Terminated,
    end_cleanly_on_signals,
    failure_of,
    postponed_signals,
)


@pytest.fixture
def own_signals() -> Iterator[None]:
    """The handlers of the command line, for one test."""
    before = {number: signal.getsignal(number) for number in (2, 15, 1)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_cleanly_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


@pytest.mark.parametrize(
    ("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_postponed_signal_comes_when_the_work_is_finished(
    number: int, ends: type[BaseException], own_signals: None
) -> None:
    finished = False
    with pytest.raises(ends), postponed_signals() as came:
        assert not came()
        signal.raise_signal(number)
        finished = came()
    assert finished


def test_a_second_signal_is_not_postponed(own_signals: None) -> None:
    with pytest.raises(KeyboardInterrupt), postponed_signals() as came:
        signal.raise_signal(signal.SIGTERM)
        assert came()
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")


def test_without_a_signal_everything_is_as_before(own_signals: None) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with postponed_signals() as came:
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert not came()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
