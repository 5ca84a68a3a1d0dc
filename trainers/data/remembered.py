"""Decoded recordings that are kept in memory, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

_BYTES = 1 << 30
_processes = 1


def shared_by(processes: int) -> None:
    """Let this process keep its part only: so many processes work for one rank of a run."""
    global _processes
    _processes = processes


class Remembered(Generic[Key, Result]):
    """A function whose last results are kept; those asked for longest ago make room.

    All processes of one rank keep 1 GiB together, and the result that is being used.
    """

    def __init__(self, read: Callable[[Key], Result]) -> None:
        """Remember the results of `read`: arrays, or tuples of which the arrays count."""
        self._read = read
        self._kept: OrderedDict[Key, Result] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, key: Key) -> Result:
        """Return `read(key)`; what it raises is raised."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        result = self._read(key)  # threads read side by side
        with self._lock:
            if key not in self._kept:
                self._kept[key] = result
                self._bytes += _size(result)
            while self._kept and self._bytes > _BYTES // _processes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= _size(dropped)
        return result


def _size(result: Any) -> int:
    parts = result if isinstance(result, tuple) else (result,)
    return sum(part.nbytes for part in parts if isinstance(part, np.ndarray))
