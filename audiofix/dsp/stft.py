"""Short-time spectra as log-magnitude and phase, and back."""

import torch
from torch import Tensor

MAGNITUDE_FLOOR = 1e-8
"""Added before the logarithm (VM-ASR); silence is log2 of it, -26.5754."""

_REAL_BIN = 1e-6
"""A bin whose imaginary part is below this share of its magnitude counts as real."""


def stft(x: Tensor, fft_size: int, hop: int, window_size: int) -> Tensor:
    """Return the one-sided spectra of `x`, divided by `sqrt(fft_size)`.

    The window is a periodic Hann, the frames are centred and the ends reflected.

    Args:
        x: `[batch, samples]`.
        fft_size: samples of a transform.
        hop: samples between frames.
        window_size: samples of the window, at most `fft_size`.

    Returns:
        Complex `[batch, fft_size // 2 + 1, samples // hop + 1]`.
    """
    window = torch.hann_window(window_size, dtype=x.dtype, device=x.device)
    return torch.stft(
        x, fft_size, hop, window_size, window, center=True, normalized=True, return_complex=True
    )


def inverse_stft(spectra: Tensor, hop: int, window_size: int) -> Tensor:
    """Return the sound of `stft`'s spectra, `[batch, (frames - 1) * hop]`."""
    fft_size = 2 * (spectra.shape[1] - 1)
    real = spectra.real
    window = torch.hann_window(window_size, dtype=real.dtype, device=real.device)
    return torch.istft(spectra, fft_size, hop, window_size, window, center=True, normalized=True)


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
    phase = torch.atan2(imaginary, spectra.real)
    if steady:
        phase = torch.where(size == 0, 0.0, phase)
    return torch.log2(size + MAGNITUDE_FLOOR), phase


def from_log_magnitude_and_phase(magnitude: Tensor, phase: Tensor) -> Tensor:
    """Return complex spectra `2^magnitude * exp(i phase)`."""
    return torch.polar(torch.exp2(magnitude), phase)
