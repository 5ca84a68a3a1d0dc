"""Multi-resolution STFT loss (Yamamoto, Song and Kim, Parallel WaveGAN, ICASSP 2020)."""

import torch
from torch import Tensor

from audiofix.dsp.stft import STFT

_POWER_FLOOR = 1e-7


RESOLUTIONS = (STFT(1024, 120, 600), STFT(2048, 240, 1200), STFT(512, 50, 240))
"""Those of VM-ASR's training."""


def spectral_losses(
    estimate: Tensor,
    target: Tensor,
    resolutions: tuple[STFT, ...] = RESOLUTIONS,
    *,
    emphasis: bool = False,
    each: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return spectral convergence and log-magnitude distance, means over the resolutions.

    Convergence is `|Y - X| / |Y|` (Frobenius, over the whole batch as published, or over each
    item), the distance the mean of `|ln Y - ln X|`.

    Args:
        estimate: `[batch, samples]`.
        target: the same shape.
        resolutions: the STFTs.
        emphasis: multiply the magnitudes by a ramp from 1 to 2 along the frames, as the authors'
            unused option does (it was meant to run along frequency).
        each: take the convergence of each item and their mean, so that a batch that is shared
            out among processes or parts has the same gradient as the whole.
    """
    convergences, distances = [], []
    for resolution in resolutions:
        x, y = _magnitudes(estimate, resolution), _magnitudes(target, resolution)
        if emphasis:
            ramp = torch.linspace(1, 2, x.shape[-1], dtype=x.dtype, device=x.device)
            x, y = x * ramp, y * ramp
        axes = (1, 2) if each else (0, 1, 2)
        norm = torch.linalg.vector_norm(y, dim=axes)
        convergences.append((torch.linalg.vector_norm(y - x, dim=axes) / norm).mean())
        distances.append((y.log() - x.log()).abs().mean())
    return torch.stack(convergences).mean(), torch.stack(distances).mean()


def _magnitudes(x: Tensor, transform: STFT) -> Tensor:
    spectra = transform(x)
    power = spectra.real.square() + spectra.imag.square()
    return power.clamp(min=_POWER_FLOOR).sqrt()
