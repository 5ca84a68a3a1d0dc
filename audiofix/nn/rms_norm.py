"""Normalisation by the root mean square (Zhang and Sennrich, NeurIPS 2019), over the last axis."""

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm

RMS_EPSILON = 1e-5
"""Added to the mean square, as in Apollo."""


class RMSNorm(nn.Module):
    """Divide by the root mean square of the last axis, in float32, and scale by a weight."""

    def __init__(self, features: int) -> None:
        """Make the scale, all ones."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` `[..., features]` normalised, in its own type."""
        return rms_norm(x.float(), x.shape[-1:], self.weight, RMS_EPSILON).to(x.dtype)
