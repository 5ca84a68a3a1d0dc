"""Batches, prepared in threads while the networks are busy with the ones before."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Batch, Item


class Batches:
    """This process's share of every step's batch.

    An item depends on the run's seed and its own number alone, so that neither threads nor
    processes nor a resumed run change it.
    """

    def __init__(
        self,
        make: Callable[[np.random.Generator], Item],
        settings: LoopSettings,
        world: World,
        device: torch.device,
    ) -> None:
        """Prepare items by `make` once they are asked for."""
        self._make = make
        self._settings = settings
        self._world = world
        self._device = device
        self._workers = ThreadPoolExecutor(settings.workers)
        self._coming: dict[int, list[Future[Item]]] = {}

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)

    def parts(self, step: int) -> list[Batch]:
        """Return a step's share, cut into accumulated parts, and begin to prepare the next step's.

        What making an item raises is raised here.
        """
        futures = self._coming.get(step) or self._order(step)
        items = [future.result() for future in futures]
        self._coming = {step + 1: self._order(step + 1)}
        size = len(items) // self._settings.accumulate
        return [
            collated(items[first : first + size], self._device)
            for first in range(0, len(items), size)
        ]

    def _order(self, step: int) -> list[Future[Item]]:
        batch, seed = self._settings.batch, self._settings.seed
        numbers = self._world.share(range(step * batch, (step + 1) * batch))
        return [
            self._workers.submit(self._make, np.random.default_rng([seed, number]))
            for number in numbers
        ]


def collated(items: Sequence[Item], device: torch.device) -> Batch:
    """Return items as one batch on the device, their numbers stacked along a new first axis."""
    return {
        name: torch.from_numpy(np.stack([item[name] for item in items])).to(device)
        for name in items[0]
    }
