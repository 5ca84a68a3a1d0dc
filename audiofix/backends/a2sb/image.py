"""Sound as A2SB sees it: an image of compressed magnitude, cosine and sine of the phase."""

from dataclasses import dataclass

import torch
from torch import Tensor

from audiofix.dsp.stft import STFT

_POWER = 0.25
_EPSILON = 1e-9
"""Keeps the compressed magnitude of silence at 0; with the power, from the released settings."""


@dataclass(frozen=True, slots=True)
class ImageTransform:
    """The transform both ways, for sound `[..., samples]` and images `[..., 3, rows, frames]`.

    Row r is bin r + 1: the bin of 0 Hz is left out, and is zero on the way back.

    Attributes:
        n_fft: points of the transform, and samples of its periodic Hann window.
        hop: samples between frames.
    """

    n_fft: int = 2048
    hop: int = 512

    def image(self, x: Tensor) -> Tensor:
        """Return the image of `x` `[..., samples]`; its frames are `1 + samples // hop`."""
        return compressed(magnitude_and_phase(self.spectra(x))[..., 1:, :])

    def sound(self, image: Tensor, *, project: bool = True) -> Tensor:
        """Return the sound of an image, `[..., (frames - 1) * hop]`.

        Args:
            image: as a network leaves it; magnitudes may be negative, which turns the phase.
            project: whether cosine and sine are brought onto the unit circle first, as the
                authors do in sampling and not in training.
        """
        expanded = uncompressed(image)
        if project:
            expanded = projected(expanded)
        return self.inverse(complex_spectra(expanded))

    def spectra(self, x: Tensor) -> Tensor:
        """Return complex `[..., n_fft // 2 + 1, frames]`."""
        spectra = STFT(self.n_fft, self.hop)(x.reshape(-1, x.shape[-1]))
        return spectra.reshape(*x.shape[:-1], *spectra.shape[1:])

    def inverse(self, spectra: Tensor, samples: int | None = None) -> Tensor:
        """Return `[..., samples]` of complex `[..., n_fft // 2 + 1, frames]`.

        Args:
            spectra: complex.
            samples: wanted length; None is `(frames - 1) * hop`.
        """
        flat = spectra.reshape(-1, *spectra.shape[-2:])
        sound = STFT(self.n_fft, self.hop).inverse(flat, samples)
        return sound.reshape(*spectra.shape[:-2], sound.shape[-1])


def magnitude_and_phase(spectra: Tensor) -> Tensor:
    """Return `[..., 3, bins, frames]`: magnitude, cosine and sine (1 and 0 where it is silent)."""
    size = spectra.abs()
    angle = torch.atan2(spectra.imag, spectra.real)
    return torch.stack([size, angle.cos(), angle.sin()], dim=-3)


def complex_spectra(expanded: Tensor) -> Tensor:
    """Return complex `[..., rows + 1, frames]`, the bin of 0 Hz zero, of an expanded image."""
    size, cosine, sine = expanded.unbind(dim=-3)
    spectra = torch.complex(size * cosine, size * sine)
    return torch.nn.functional.pad(spectra, (0, 0, 1, 0))


def compressed(image: Tensor) -> Tensor:
    """Return the image with its magnitude m replaced by `m |m|^0.25 / (|m| + 1e-9)`."""
    return _with_magnitude(image, _POWER)


def uncompressed(image: Tensor) -> Tensor:
    """Return the image with its magnitude m replaced by `m |m|^4 / (|m| + 1e-9)`."""
    return _with_magnitude(image, 1 / _POWER)


def projected(image: Tensor) -> Tensor:
    """Return the image with cosine and sine on the unit circle, (1, 0) where both are 0.

    The nearest rotation to [[c, -s], [s, c]], which the authors find by a decomposition.
    """
    size, phase = image[..., :1, :, :], image[..., 1:, :, :]
    norm = torch.linalg.vector_norm(phase, dim=-3, keepdim=True)
    upright = torch.zeros_like(phase)
    upright[..., 0, :, :] = 1
    return torch.cat([size, torch.where(norm > 0, phase / norm, upright)], dim=-3)


def _with_magnitude(image: Tensor, power: float) -> Tensor:
    size = image[..., :1, :, :]
    scaled = size * size.abs().pow(power) / (size.abs() + _EPSILON)
    return torch.cat([scaled, image[..., 1:, :, :]], dim=-3)
