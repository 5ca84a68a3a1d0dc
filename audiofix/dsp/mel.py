"""Mel spectra: triangles of equal area on Slaney's scale (Auditory Toolbox, 1998)."""

import math

import torch
from torch import Tensor

from audiofix.dsp.stft import STFT

_LINEAR_HZ_PER_MEL = 200 / 3
_LOG_FROM_HZ = 1000.0
_LOG_STEP = math.log(6.4) / 27
"""Slaney's scale is linear up to 1 kHz and logarithmic above."""

_AMPLITUDE_FLOOR = 1e-10


def hz_to_mel(hertz: Tensor) -> Tensor:
    """Return Slaney's mels."""
    above = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL + (hertz / _LOG_FROM_HZ).clamp(1).log() / _LOG_STEP
    return torch.where(hertz < _LOG_FROM_HZ, hertz / _LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mels: Tensor) -> Tensor:
    """Return the inverse of `hz_to_mel`."""
    knee = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    above = _LOG_FROM_HZ * ((mels - knee).clamp(0) * _LOG_STEP).exp()
    return torch.where(mels < knee, mels * _LINEAR_HZ_PER_MEL, above)


def mel_filters(rate: int, fft_size: int, bands: int) -> Tensor:
    """Return the weights of each bin in each band, `[bands, fft_size // 2 + 1]`, float32.

    The bands reach from 0 to `rate / 2`; each triangle's area is one in Hz.
    """
    bins = torch.linspace(0, rate / 2, fft_size // 2 + 1, dtype=torch.float64)
    top = hz_to_mel(torch.tensor(rate / 2, dtype=torch.float64))
    edges = mel_to_hz(torch.linspace(0, float(top), bands + 2, dtype=torch.float64))
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    return (torch.minimum(rising, falling).clamp(0) * 2 / (upper - lower)).float()


def log_mel(x: Tensor, filters: Tensor, hop: int) -> Tensor:
    """Return the natural logarithm of the mel amplitudes of sound.

    Args:
        x: `[batch, samples]`.
        filters: from `mel_filters`.
        hop: samples between frames; the window is as long as the transform.

    Returns:
        `[batch, bands, samples // hop + 1]`.
    """
    size = 2 * (filters.shape[1] - 1)
    spectra = STFT(size, hop)(x)
    power = spectra.real.square() + spectra.imag.square()
    amplitude = power.clamp(min=_AMPLITUDE_FLOOR).sqrt()
    return (filters.to(x.device) @ amplitude).clamp(min=_AMPLITUDE_FLOOR).log()


def uncentred_log_mel(x: Tensor, filters: Tensor, hop: int, *, floor: float = 1e-5) -> Tensor:
    """Return the natural logarithm of mel amplitudes whose frames begin half a hop early.

    The sound is reflected by `(fft_size - hop) / 2` samples at both ends, so that `samples / hop`
    frames come out (HiFi-GAN, Kong et al., 2020).

    Args:
        x: `[batch, samples]`.
        filters: from `mel_filters`.
        hop: samples between frames.
        floor: below which amplitudes are not told apart.

    Returns:
        `[batch, bands, samples // hop]`.
    """
    size = 2 * (filters.shape[1] - 1)
    window = torch.hann_window(size, dtype=x.dtype, device=x.device)
    around = (size - hop) // 2
    padded = torch.nn.functional.pad(x[:, None], (around, around), mode="reflect")[:, 0]
    spectra = torch.stft(padded, size, hop, size, window, center=False, return_complex=True)
    return (filters.to(x.device) @ spectra.abs()).clamp(min=floor).log()


def linear_amplitudes(mel: Tensor, filters: Tensor, *, rounds: int = 40) -> Tensor:
    """Return amplitudes of bins whose mel amplitudes come near those given, none negative.

    Multiplicative updates of non-negative least squares (Lee and Seung, 2001).

    Args:
        mel: amplitudes `[batch, bands, frames]`, not negative.
        filters: from `mel_filters`.
        rounds: of updates.

    Returns:
        `[batch, fft_size // 2 + 1, frames]`.
    """
    filters = filters.to(mel)
    wanted = filters.t() @ mel
    amplitudes = wanted / filters.sum(0)[:, None].square().clamp(min=_AMPLITUDE_FLOOR)
    for _ in range(rounds):
        amplitudes = (
            amplitudes * wanted / (filters.t() @ (filters @ amplitudes)).clamp(min=_AMPLITUDE_FLOOR)
        )
    return amplitudes
