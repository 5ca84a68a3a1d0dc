"""Log-spectral distance, as the VM-ASR paper's code computes it (Zhang and Ruan, 2025)."""

import torch
from torch import Tensor

_FFT_SIZE = 2048
_HOP = 512
_POWER_FLOOR = 1e-8


def log_power(x: Tensor) -> Tensor:
    """Return `log10(max(|STFT|^2, 1e-8))` of `[batch, samples]`: `[batch, 1025, frames]`.

    2048 points, hop 512, periodic Hann, centred with reflection, not normalised.
    """
    window = torch.hann_window(_FFT_SIZE, dtype=x.dtype, device=x.device)
    spectra = torch.stft(x, _FFT_SIZE, _HOP, window=window, center=True, return_complex=True)
    return torch.log10(spectra.abs().square().clamp(min=_POWER_FLOOR))


def lsd(estimate: Tensor, target: Tensor) -> Tensor:
    """Return the log-spectral distance of `[batch, samples]`, in powers of ten.

    The mean over frames of the root of the mean over bins of the squared difference.
    """
    return _distance(log_power(estimate) - log_power(target))


def lsd_published(estimate: Tensor, target: Tensor, hf: Tensor) -> dict[str, Tensor]:
    """Return `lsd`, `lsd_hf` and `lsd_lf` as the authors' code splits them.

    `hf` counts bins of a 1024-point transform and is used on those of a 2048-point one, so the
    low part is only the lower half of the input's band. For comparison with published tables.

    Args:
        estimate: `[batch, samples]`.
        target: the same shape.
        hf: `[batch]`, first bin above the input's band.
    """
    difference = log_power(estimate) - log_power(target)
    high = [_distance(item[None, edge:]) for item, edge in zip(difference, hf, strict=True)]
    low = [_distance(item[None, :edge]) for item, edge in zip(difference, hf, strict=True)]
    return {
        "lsd": _distance(difference),
        "lsd_hf": torch.stack(high).mean(),
        "lsd_lf": torch.stack(low).mean(),
    }


def lsd_band(estimate: Tensor, target: Tensor, rate: int, low_hz: float, high_hz: float) -> Tensor:
    """Return the distance over the bins whose frequency is in [low_hz, high_hz)."""
    hertz = torch.arange(_FFT_SIZE // 2 + 1) * rate / _FFT_SIZE
    inside = (hertz >= low_hz) & (hertz < high_hz)
    return _distance((log_power(estimate) - log_power(target))[:, inside])


def _distance(difference: Tensor) -> Tensor:
    return difference.square().mean(dim=1).sqrt().mean()
