"""Mel spectra: Slaney's scale and area-normalised triangles (Auditory Toolbox, 1998)."""

import math

import torch
from torch import Tensor, nn

_LINEAR_HZ = 200 / 3
_CORNER_HZ = 1000.0
_CORNER_MEL = _CORNER_HZ / _LINEAR_HZ
_LOG_STEP = math.log(6.4) / 27
"""The scale is linear up to 1 kHz, and a 27th of ln 6.4 a mel above."""

_FLOOR = 1e-10
"""Of power and of mel magnitude, before root and logarithm: AudioDec's mel loss."""


def hz_to_mel(hertz: Tensor) -> Tensor:
    """Return Slaney's mel of frequencies."""
    above = _CORNER_MEL + torch.log(hertz.clamp(min=_CORNER_HZ) / _CORNER_HZ) / _LOG_STEP
    return torch.where(hertz < _CORNER_HZ, hertz / _LINEAR_HZ, above)


def mel_to_hz(mels: Tensor) -> Tensor:
    """Return the frequencies of Slaney's mels."""
    above = _CORNER_HZ * torch.exp((mels - _CORNER_MEL) * _LOG_STEP)
    return torch.where(mels < _CORNER_MEL, mels * _LINEAR_HZ, above)


def mel_filters(rate: int, fft_size: int, bands: int) -> Tensor:
    """Return triangles of area 1 Hz between 0 and half the rate, `[bands, bins]`, float32."""
    top = hz_to_mel(torch.tensor([rate / 2], dtype=torch.float64))
    steps = torch.linspace(0, 1, bands + 2, dtype=torch.float64)
    low, peak, high = mel_to_hz(top * steps).unfold(0, bands, 1)[:, :, None]
    bins = torch.linspace(0, rate / 2, fft_size // 2 + 1, dtype=torch.float64)
    rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    filters: Tensor = (triangles * 2 / (high - low)).float()
    return filters


class LogMel(nn.Module):
    """The natural logarithm of mel magnitudes."""

    window: Tensor
    filters: Tensor

    def __init__(self, rate: int, *, fft_size: int = 2048, hop: int = 300, bands: int = 80) -> None:
        """Prepare filters and a window as long as the FFT; hop in samples."""
        super().__init__()
        self.fft_size, self.hop = fft_size, hop
        self.register_buffer("window", torch.hann_window(fft_size), persistent=False)
        self.register_buffer("filters", mel_filters(rate, fft_size, bands), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, bands, samples // hop + 1]` of `[batch, samples]`."""
        spectra = torch.stft(
            x, self.fft_size, self.hop, window=self.window, pad_mode="reflect", return_complex=True
        )
        power = spectra.real.square() + spectra.imag.square()
        return (self.filters @ power.clamp(min=_FLOOR).sqrt()).clamp(min=_FLOOR).log()
