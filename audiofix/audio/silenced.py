"""Libraries that print to standard error: what they say is caught, and told once."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

log = logging.getLogger(__name__)

_STDERR = 2
_lock = threading.Lock()
_callers = 0
_own = -1
"""Standard error itself, while callers have it away: several threads may call at once."""


class Silenced:
    """Catches what a library prints while it works on one file, whoever's descriptor 2 that is."""

    def __init__(self, name: str) -> None:
        """Name the file that the library works on."""
        self._name = name
        self._caught = cast(BinaryIO, tempfile.TemporaryFile())

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Keep descriptor 2 away while the block runs.

        What several threads' libraries print at once is told of the file that came first.
        """
        self._keep_away()
        try:
            yield
        finally:
            _give_back()

    def _keep_away(self) -> None:
        global _callers, _own
        with _lock:
            if _callers == 0:
                try:
                    _own = os.dup(_STDERR)
                    os.dup2(self._caught.fileno(), _STDERR)
                except OSError:  # closed: nobody would see it
                    _own = -1
            _callers += 1

    def close(self) -> None:
        """Tell, once, what was printed."""
        self._caught.seek(0)
        lines = [line.strip() for line in self._caught.read().decode(errors="replace").splitlines()]
        self._caught.close()
        said = [line for line in lines if line]
        if said:
            log.warning("%s: damaged in %d places or more: %s", self._name, len(said), said[0])


def _give_back() -> None:
    global _callers, _own
    with _lock:
        _callers -= 1
        if _callers == 0 and _own >= 0:
            os.dup2(_own, _STDERR)
            os.close(_own)
            _own = -1
