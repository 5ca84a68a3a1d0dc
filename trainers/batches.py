"""Batches, prepared by workers while the networks are busy with the ones before."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import torch
from audiofix.trainers.data import remembered
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Batch, Item

from audiofix.errors import DeviceError, SettingsError
from audiofix.jobs.workers import follow_parent

Make = Callable[[np.random.Generator], Item]


class Batches:
    """This process's share of every step's batch.

    An item depends on the run's seed and its own number alone, so that neither workers nor
    processes nor a resumed run change it.
    """

    def __init__(
        self, make: Make, settings: LoopSettings, world: World, device: torch.device
    ) -> None:
        """Prepare items by `make` once they are asked for."""
        self._settings = settings
        self._world = world
        self._device = device
        self._workers, self._make = _workers(make, settings)
        self._coming: dict[int, list[Future[Item]]] = {}

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)

    def parts(self, step: int) -> list[Batch]:
        """Return a step's share, cut into accumulated parts, and begin to prepare the next step's.

        What making an item raises is raised here.

        Raises:
            DeviceError: a worker process was killed.
        """
        try:
            futures = self._coming.get(step) or self._order(step)
            items = [future.result() for future in futures]
            self._coming = {step + 1: self._order(step + 1)}
        except BrokenProcessPool as error:
            raise DeviceError(
                "a worker process was killed, likely for its memory: lower loop.workers"
            ) from error
        size = len(items) // self._settings.accumulate
        return [
            collated(items[first : first + size], self._device)
            for first in range(0, len(items), size)
        ]

    def _order(self, step: int) -> list[Future[Item]]:
        batch, seed = self._settings.batch, self._settings.seed
        numbers = self._world.share(range(step * batch, (step + 1) * batch))
        return [self._workers.submit(self._make, [seed, number]) for number in numbers]


def collated(items: Sequence[Item], device: torch.device) -> Batch:
    """Return items as one batch on the device, their numbers stacked along a new first axis."""
    return {
        name: torch.from_numpy(np.stack([item[name] for item in items])).to(device)
        for name in items[0]
    }


def _workers(make: Make, settings: LoopSettings) -> tuple[Executor, Callable[[list[int]], Item]]:
    """Return threads or processes, and what they are given seeds to make items of."""
    if not settings.worker_processes:
        return ThreadPoolExecutor(settings.workers), lambda seeds: make(
            np.random.default_rng(seeds)
        )
    if "fork" not in multiprocessing.get_all_start_methods():
        raise SettingsError("loop.worker_processes: not on this system: set it to false")
    # Forked, so that the recordings are there already, once for all; nothing is sent but seeds
    # and items. The children never touch the device.
    context = multiprocessing.get_context("fork")
    arguments = (make, settings.workers)
    return ProcessPoolExecutor(settings.workers, context, _begin, arguments), _made


_make: Make | None = None
"""Of a worker process."""


def _begin(make: Make, workers: int) -> None:
    """Ready a worker process: it leaves Ctrl-C to its parent, and ends with it."""
    global _make
    _make = make
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which `follow_parent` ends it
    torch.set_num_threads(1)  # OpenMP's other threads are not there after a fork
    remembered.shared_by(workers)
    threading.Thread(target=follow_parent, daemon=True).start()


def _made(seeds: list[int]) -> Item:
    assert _make
    return _make(np.random.default_rng(seeds))
