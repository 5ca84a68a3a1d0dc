"""Short-time spectra: the transform, and spectra as log-magnitude and phase and back."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

MAGNITUDE_FLOOR = 1e-8
"""Added before the logarithm (VM-ASR); silence is log2 of it, -26.5754."""

_REAL_BIN = 1e-6
"""A bin whose imaginary part is below this share of its magnitude counts as real."""


@dataclass(frozen=True, slots=True)
class STFT:
    """A short-time Fourier transform with a periodic Hann window and centred frames.

    The ends of the sound are reflected.

    Attributes:
        fft_size: samples of a transform.
        hop: samples between frames.
        window_size: samples of the window, at most `fft_size`; 0 for `fft_size`.
        normalized: whether spectra are divided by `sqrt(fft_size)`.
    """

    fft_size: int
    hop: int
    window_size: int = 0
    normalized: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Return the one-sided spectra of `x`.

        Args:
            x: `[batch, samples]`.

        Returns:
            Complex `[batch, fft_size // 2 + 1, samples // hop + 1]`.
        """
        return torch.stft(
            x,
            self.fft_size,
            self.hop,
            self.window_size or self.fft_size,
            self._window(x),
            normalized=self.normalized,
            return_complex=True,
        )

    def inverse(self, spectra: Tensor, samples: int | None = None) -> Tensor:
        """Return the sound of spectra, `[batch, samples]`.

        Args:
            spectra: as `__call__` returns them.
            samples: of the sound; None for `(frames - 1) * hop`.
        """
        return torch.istft(
            spectra,
            self.fft_size,
            self.hop,
            self.window_size or self.fft_size,
            self._window(spectra.real),
            normalized=self.normalized,
            length=samples,
        )

    def _window(self, like: Tensor) -> Tensor:
        return hann_window(self.window_size or self.fft_size, like.dtype, like.device)


@lru_cache(64)
def hann_window(samples: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the periodic Hann window; the same tensor at every call, not to be changed."""
    # A tensor made in inference mode could take no part in a later backward pass.
    with torch.inference_mode(False):
        return torch.hann_window(samples, dtype=dtype, device=device)


def log_magnitude_and_phase(spectra: Tensor, *, steady: bool = False) -> tuple[Tensor, Tensor]:
    """Split complex spectra into `log2(|S| + 1e-8)` and the angle in [-π, π].

    Args:
        spectra: complex, any shape.
        steady: define the phase of real bins (0 or +π) and of empty ones (0), which otherwise
            hangs on the sign of rounding noise and differs from machine to machine.
    """
    size = spectra.abs()
    imaginary = spectra.imag
    if steady:
        imaginary = torch.where(imaginary.abs() < _REAL_BIN * size, 0.0, imaginary)
    # Parts of complex numbers lie two apart, which makes arctangents many times slower.
    phase = torch.atan2(imaginary.contiguous(), spectra.real.contiguous())
    if steady:
        phase = torch.where(size == 0, 0.0, phase)
    return torch.log2(size + MAGNITUDE_FLOOR), phase


def from_log_magnitude_and_phase(magnitude: Tensor, phase: Tensor) -> Tensor:
    """Return complex spectra `2^magnitude * exp(i phase)`."""
    return torch.polar(torch.exp2(magnitude), phase)
