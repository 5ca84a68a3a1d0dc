"""Losses with their weights, and the sum that is minimised."""

import torch
from audiofix.trainers.recipe import TOTAL, Losses
from torch import Tensor

WeightedLosses = dict[str, tuple[float, Tensor]]
"""The weight and the value of each loss by name."""


def weighted_sum(parts: WeightedLosses) -> Losses:
    """Return the losses by name, without their weights, and their weighted sum as `TOTAL`."""
    total = torch.stack([weight * loss for weight, loss in parts.values()]).sum()
    return {name: loss for name, (_, loss) in parts.items()} | {TOTAL: total}
