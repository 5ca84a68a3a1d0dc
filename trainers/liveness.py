"""Whether the other processes of a run are there: heartbeats beside the exchange of tensors.

A process whose connection breaks is found at once. One whose machine vanishes leaves an open
connection behind; it is found by its heartbeat, which stops. A process that is only slow, because
it validates or reads, goes on beating.
"""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from audiofix.trainers.stop_request import StopRequest
from torch import distributed

from audiofix.errors import DeviceError

_BEAT_SECONDS = 2.0
_LOST_SECONDS = 30.0
_STORE_WAIT = timedelta(seconds=20)
_LONGEST_POLL_SECONDS = 0.02


class Liveness:
    """Beats for this process while it is entered, and watches the others while it waits."""

    def __init__(
        self, store: distributed.Store, rank: int, size: int, stop: StopRequest | None = None
    ) -> None:
        """Watch the processes that share a store.

        Args:
            store: of all of them.
            rank: of this process.
            size: how many there are.
            stop: ends waiting, a while after it came.
        """
        self._store, self._rank = store, rank
        self._others = [other for other in range(size) if other != rank]
        self._stop = stop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._beats: Sequence[bytes] = ()
        self._changed: dict[int, float] = {}
        self._checked = 0.0

    def __enter__(self) -> "Liveness":
        self._store.set_timeout(_STORE_WAIT)
        self._store.set(str(self._rank), "0")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def wait(self, work: distributed.Work) -> None:
        """Wait for an exchange to end.

        Raises:
            DeviceError: a process is lost.
        """
        pause = 0.0
        while not work.is_completed():
            time.sleep(pause)
            pause = min(_LONGEST_POLL_SECONDS, pause * 1.5 + 0.00005)
            if self._stop and self._stop.overdue:
                self._stop.obey()
            self._check()
        try:
            work.wait()
        except RuntimeError as error:
            raise _lost("another process") from error

    def _beat(self) -> None:
        count = 0
        while not self._ended.wait(_BEAT_SECONDS):
            count += 1
            try:
                self._store.set(str(self._rank), str(count))
            except RuntimeError:
                return  # the store is lost; whoever waits finds out

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._checked < _BEAT_SECONDS:
            return
        self._checked = now
        try:
            beats = self._store.multi_get([str(other) for other in self._others])
        except RuntimeError as error:
            raise _lost("the process that others meet at, or one that never came") from error
        for place, other in enumerate(self._others):
            if not self._beats or beats[place] != self._beats[place]:
                self._changed[other] = now
            elif now - self._changed[other] > _LOST_SECONDS:
                raise _lost(f"process {other}")
        self._beats = beats


def _lost(who: str) -> DeviceError:
    return DeviceError(
        f"{who}: lost, and the run cannot go on without it: start all processes again with --resume"
    )
