"""Signals that end a process: unfinished files are removed, live recordings are finished."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


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
