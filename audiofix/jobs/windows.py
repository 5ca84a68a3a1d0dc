"""One long file, its windows computed by several processes.

The file is read, resampled and written in one process, in order; only what a network does to a
window, which depends on nothing else, is done elsewhere. So the result is that of one process to
the bit, wherever the windows are computed.
"""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from audiofix.errors import DeviceError
from audiofix.jobs.job import Effect
from audiofix.jobs.workers import follow_parent

log = logging.getLogger(__name__)

Compute = Callable[[Sequence[Any]], Sequence[Any]]
"""Gives what the network makes of some windows, each by itself."""

AHEAD = 2
"""Windows a process that are read before the first of them is needed."""


@runtime_checkable
class Windowed(Protocol):
    """A loaded model whose windows stand alone."""

    name: str

    def compute(self, windows: Sequence[Any]) -> Sequence[Any]:
        """Return what the network makes of some windows; both can be pickled."""
        ...

    def compute_elsewhere(self, compute: Compute, together: int) -> None:
        """Let `compute` do it, of the same model in other processes, so many windows at once."""
        ...


def compute_elsewhere(loaded: Any, compute: Compute, processes: int) -> Any:
    """Return a loaded model whose windows are computed by others, where it has windows."""
    if isinstance(loaded, Windowed):
        loaded.compute_elsewhere(compute, AHEAD * processes)
    else:
        log.warning("this model works through a file in order: one file is one process's work")
    return loaded


@contextmanager
def window_processes(effect: Effect, processes: int) -> Iterator[Compute]:
    """Start processes that load the model, once the first windows come.

    Raises:
        DeviceError: a process was killed.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (effect,))

    def compute(windows: Sequence[Any]) -> Sequence[Any]:
        try:
            return list(pool.map(_computed, windows))
        except BrokenProcessPool as error:
            raise DeviceError(
                "a process was killed, likely for its memory: use fewer --jobs, or --device cpu"
            ) from error

    try:
        yield compute
    finally:
        pool.shutdown(cancel_futures=True)


_loaded: Any = None
"""Of a process of `window_processes`: its model."""


def _begin(effect: Effect) -> None:
    global _loaded
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    threading.Thread(target=follow_parent, daemon=True).start()
    _loaded = effect.load()


def _computed(window: Any) -> Any:
    (result,) = _loaded.compute([window])
    return result
