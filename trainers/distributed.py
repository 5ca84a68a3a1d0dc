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
class Team:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes what the run writes."""
        return self.rank == 0

    def share(self, items: range) -> range:
        """Return this process's items of a batch; all shares have the same length."""
        return items[self.rank :: self.size]


def team_to_be() -> Team:
    """Return what `team` will yield, before anything is joined."""
    return Team(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


@contextmanager
def team(device: torch.device) -> Iterator[Team]:
    """Join the processes that `torchrun` started; alone without it."""
    if "WORLD_SIZE" not in os.environ:
        yield Team()
        return
    on_gpu = device.type == "cuda"
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo", device_id=device if on_gpu else None, timeout=_LONGEST_WAIT
    )
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """Return this process's device: under `torchrun` the GPU of its local rank."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def average_gradients(parameters: Iterable[Tensor], size: int) -> None:
    """Replace every gradient by its mean over the processes.

    One exchange for all of them instead of DistributedDataParallel's hooks: these networks are
    small, their losses call more than `forward`, and some of their weights are never used.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if size == 1 or not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= size
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def wait_for_all(size: int) -> None:
    """Return when every process is here."""
    if size > 1:
        distributed.barrier()


def anyone(wish: bool, size: int, device: torch.device) -> bool:
    """Return whether any process wishes it, the same for all."""
    if size == 1:
        return wish
    count = torch.tensor(float(wish), device=device)
    distributed.all_reduce(count)
    return bool(count.item())


def average_numbers(
    numbers: Mapping[str, float], size: int, device: torch.device
) -> dict[str, float]:
    """Return the means over the processes of numbers that all of them have."""
    if size == 1:
        return dict(numbers)
    # float32: the numbers are losses, and Apple's GPU has no other.
    values = torch.tensor(list(numbers.values()), device=device)
    distributed.all_reduce(values)
    return dict(zip(numbers, (values / size).tolist(), strict=True))
