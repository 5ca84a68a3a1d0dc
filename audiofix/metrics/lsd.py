"""Log-spectral distance with gradients, for training; `metrics.spectral` is its measuring twin."""

import math

import torch
from torch import Tensor
from torch.linalg import vector_norm

from audiofix.dsp.stft import STFT

_TRANSFORM = STFT(2048, 512)
_POWER_FLOOR = 1e-8


def log_power(x: Tensor) -> Tensor:
    """Return `log10(max(|STFT|^2, 1e-8))` of `[batch, samples]`: `[batch, 1025, frames]`.

    2048 points, hop 512, periodic Hann, centred with reflection, not normalised.
    """
    return torch.log10(_TRANSFORM(x).abs().square().clamp(min=_POWER_FLOOR))


def lsd(estimate: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the log-spectral distance of `[batch, samples]`, in powers of ten.

    The mean over frames of the root of the mean over bins of the squared difference, as VM-ASR's
    code computes it (Zhang and Ruan, 2025).

    Args:
        estimate: any sound.
        target: what it should be.
        known: `[batch]`, the part of the band, from 0 Hz upwards, that is measured; None for all.
    """
    difference = log_power(estimate) - log_power(target)
    # As a norm, because its gradient is 0 where both are silent; that of a root would be NaN.
    if known is None:
        distances: Tensor = vector_norm(difference, dim=1) / math.sqrt(difference.shape[1])
        return distances.mean()
    bins = torch.arange(difference.shape[1], device=difference.device)[None, :, None]
    measured = bins < (known * difference.shape[1])[:, None, None]
    distances = vector_norm(difference * measured, dim=1) / measured.sum(dim=1).sqrt()
    return distances.mean()
