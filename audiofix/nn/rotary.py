"""Rotary position embedding (Su et al., RoFormer, 2021), pairs of neighbouring features."""

import torch
from torch import Tensor

_BASE = 10000.0


def rotary_tables(positions: int, features: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines `[positions, features]`, both features of a pair alike.

    The angle of pair i at position t is `t * 10000^(-2i / features)`, in float32.
    """
    with torch.device("cpu"):
        exponents = torch.arange(0, features, 2, dtype=torch.float32) / features
        angles = torch.outer(torch.arange(positions, dtype=torch.float32), _BASE**-exponents)
    angles = angles.repeat_interleave(2, dim=1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Return `x` `[..., positions, features]` with each pair turned by its angle."""
    turned = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)
    return x * cosines + turned * sines
