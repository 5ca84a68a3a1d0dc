"""Gaussian vectors that stand for labels: the largest of their first numbers says for which."""

from math import prod

import torch
from torch import Tensor


def labels_in(z: Tensor, labels: int) -> Tensor:
    """Return the label that each vector stands for: its largest number among the first ones.

    Args:
        z: `[..., z_dim]`.
        labels: how many there are.
    """
    return z[..., :labels].argmax(-1)


def vectors_of_every_label(labels: int, count: int, z_dim: int, device: torch.device) -> Tensor:
    """Return Gaussian vectors `[labels, count, z_dim]`; see `vectors_of_every_choice`."""
    return vectors_of_every_choice((labels,), count, z_dim, device)


def vectors_of_every_choice(
    sizes: tuple[int, ...], count: int, z_dim: int, device: torch.device
) -> Tensor:
    """Return Gaussian vectors `[choices, count, z_dim]`, drawn by torch's own generator.

    The largest of the first numbers, as many as the first of `sizes`, chooses a label; of the next
    ones the largest chooses another, as a voice. There are vectors for all that can be chosen. The
    largest number changes places with that of the wanted label, so that all of them together are
    Gaussian.

    Args:
        sizes: labels of each kind.
        count: vectors of each choice; the first kind's label changes slowest.
        z_dim: their length.
        device: where they are.
    """
    total, first = prod(sizes), 0
    z = torch.randn(total, count, z_dim, device=device)
    for size, chosen in zip(
        sizes, torch.unravel_index(torch.arange(total, device=device), sizes), strict=True
    ):
        wanted = first + chosen[:, None, None].expand(-1, count, -1)
        largest = first + labels_in(z[..., first:], size)[..., None]
        high, own = z.gather(2, largest), z.gather(2, wanted)
        z = z.scatter(2, largest, own).scatter(2, wanted, high)
        first += size
    return z
