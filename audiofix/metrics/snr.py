"""Ratios of a target's energy to an error's, in dB."""

import torch
from torch import Tensor

_SMALLEST_ERROR = 1e-8


def snr(estimate: Tensor, target: Tensor) -> Tensor:
    """Return the signal-to-noise ratio of `[batch, samples]` in dB, averaged over the batch.

    `20 log10(|t| / max(|o - t|, 1e-8))`, as the VM-ASR paper's code computes it.
    """
    error = torch.linalg.vector_norm(estimate - target, dim=-1).clamp(min=_SMALLEST_ERROR)
    return (20 * torch.log10(torch.linalg.vector_norm(target, dim=-1) / error)).mean()
