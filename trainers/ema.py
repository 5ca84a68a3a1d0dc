"""Exponential moving averages of weights: smoother than the last step's."""

from copy import deepcopy

import torch
from torch import nn


def ema_copy(network: nn.Module) -> nn.Module:
    """Return a copy for `update_ema`, in eval mode and without gradients."""
    return deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, step: int, decay: float) -> None:
    """Move the average one step towards the network's weights.

    Args:
        average: from `ema_copy`.
        network: what it follows; buffers are copied.
        step: counted from 0. Early averages are short: the decay is at most (step + 1)/(step + 10).
        decay: of every later step, 0 to be the network.
    """
    keep = min(decay, (step + 1) / (step + 10))
    for mean, value in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(value.detach(), 1 - keep)
    for copied, buffer in zip(average.buffers(), network.buffers(), strict=True):
        copied.copy_(buffer)
