"""Gaussian vectors that stand for labels: the largest of their first numbers says for which."""

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
    """Return Gaussian vectors `[labels, count, z_dim]`, drawn by torch's own generator.

    Of the first `labels` numbers the largest changes places with that of the wanted label, so that
    all of them together are Gaussian.
    """
    z = torch.randn(labels, count, z_dim, device=device)
    wanted = torch.arange(labels, device=device)[:, None, None].expand(-1, count, -1)
    largest = labels_in(z, labels)[..., None]
    high, own = z.gather(2, largest), z.gather(2, wanted)
    return z.scatter(2, largest, own).scatter(2, wanted, high)
