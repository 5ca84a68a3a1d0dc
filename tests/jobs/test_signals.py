"""Signals that end a process."""

import signal
from collections.abc import Iterator

import pytest

from audiofix.jobs.signals import Terminated, end_cleanly_on_signals, postponed_signals


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
