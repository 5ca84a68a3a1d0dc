"""Several processes, one run: each takes its share of every batch (`torchrun` starts them)."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

_LONGEST_WAIT = timedelta(hours=2)
"""While one process validates, the others wait."""


@dataclass(frozen=True, slots=True)
class World:
    """The processes of a run, and which of them this is."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes what the run writes."""
        return self.rank == 0

    def share(self, items: range) -> range:
        """Return this process's items of a batch; all shares have the same length."""
        return items[self.rank :: self.size]

    def wait_for_all(self) -> None:
        """Return when every process is here."""
        if self.size > 1:
            distributed.barrier()

    def any(self, wish: bool, device: torch.device) -> bool:
        """Return whether any process wishes it, the same for all."""
        if self.size == 1:
            return wish
        count = torch.tensor(float(wish), device=device)
        distributed.all_reduce(count)
        return bool(count.item())

    def mean(self, numbers: Mapping[str, float], device: torch.device) -> dict[str, float]:
        """Return the means over the processes of numbers that all of them have."""
        if self.size == 1:
            return dict(numbers)
        # float32: the numbers are losses, and Apple's GPU has no other.
        values = torch.tensor(list(numbers.values()), device=device)
        distributed.all_reduce(values)
        return dict(zip(numbers, (values / self.size).tolist(), strict=True))

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over the processes.

        One exchange for all of them instead of DistributedDataParallel's hooks: these networks are
        small, their losses call more than `forward`, and some of their weights are never used.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.size == 1 or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, parts, strict=True):
            gradient.copy_(mean.view_as(gradient))


def world_from_environment() -> World:
    """Return what `joined` will yield, before anything is joined."""
    return World(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the processes that `torchrun` started; alone without it."""
    if "WORLD_SIZE" not in os.environ:
        yield World()
        return
    on_gpu = device.type == "cuda"
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo", device_id=device if on_gpu else None, timeout=_LONGEST_WAIT
    )
    try:
        yield World(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """Return this process's device: under `torchrun` the GPU of its local rank."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device
