"""SIGTERM and Ctrl-C during training: noted, and obeyed after the step."""

import signal
import threading
import time
from types import FrameType
from typing import Any

_PATIENCE_SECONDS = 15.0
"""`torchrun` sends SIGKILL 30 seconds after SIGTERM."""

_AGAIN_SECONDS = 1.0


class StopRequest:
    """Holds SIGTERM and SIGINT back while it is entered.

    The same signal again, a second later or more, comes through at once.
    """

    def __init__(self) -> None:
        """Wait for a signal once entered."""
        self._number: int | None = None
        self._since = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    @property
    def came(self) -> bool:
        """Whether a signal came."""
        return self._number is not None

    @property
    def overdue(self) -> bool:
        """Whether a signal came so long ago that nobody should be waited for any more."""
        return self.came and time.monotonic() - self._since > _PATIENCE_SECONDS

    def obey(self) -> None:
        """Pass the signal on to whoever handled it before; do nothing if none came."""
        number, self._number = self._number, None
        if number is not None:
            self._restore()
            signal.raise_signal(number)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.came and self._number == number and time.monotonic() - self._since > _AGAIN_SECONDS:
            self.obey()  # asked again: without waiting for the step to end
            return
        self._number, self._since = number, self._since or time.monotonic()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
