"""Apollo's multi-frequency discriminator: one network on complex spectra for each window size.

Used in training only. Attribute names are those of the authors' training code.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from audiofix.backends.tasks import Config
from audiofix.nn.spectral_norm import SpectralNormConv2d
from audiofix.settings import NetworkSettings

WINDOWS = (32, 64, 128, 256, 512, 1024, 2048)
"""Samples of the windows, of the losses' spectra too."""

_WIDTHS = (8, 16, 32, 64, 128, 256)
_STRIDES = (1, 2, 1, 2, 1, 2)
_SLOPE = 0.2
_EPSILON = torch.finfo(torch.float32).eps


@dataclass(frozen=True, slots=True)
class DiscriminatorConfig(NetworkSettings):
    """How many channels a sound has, and the windows."""

    nch: int = 2
    window: tuple[int, ...] = WINDOWS


def complex_spectra(x: Tensor, window: int) -> Tensor:
    """Return complex spectra `[rows, bins, frames]` of `[rows, samples]`, hop half the window."""
    shape = torch.hann_window(window, dtype=x.dtype, device=x.device)
    return torch.stft(x, window, window // 2, window=shape, return_complex=True)


class SpectrumDiscriminator(nn.Module):
    """Scores places of one spectrogram."""

    def __init__(self, channels: int) -> None:
        """Make six convolutions, and the score's."""
        super().__init__()
        layers: list[nn.Module] = []
        for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
            layers.append(nn.ModuleList([SpectralNormConv2d(channels, width, 3, stride, 1)]))
            channels = width
        layers.append(nn.Conv2d(channels, 1, 3, padding=1))
        self.discriminator = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return scores `[batch, 1, height, width]` and six feature maps."""
        maps = []
        *layers, score = self.discriminator
        for layer in layers:
            x = leaky_relu(cast(nn.ModuleList, layer)[0](x), _SLOPE)
            maps.append(x)
        return score(x), maps


class MultiFrequencyDiscriminator(nn.Module):
    """One discriminator for each window size."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        """Make the discriminators."""
        super().__init__()
        self.config = config
        self.discriminators = nn.ModuleList(
            SpectrumDiscriminator(2 * config.nch) for _ in config.window
        )

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Score sounds `[batch, nch, samples]`, each at the same energy.

        Returns:
            Scores, and six feature maps, one entry for each window size.
        """
        energy = x.square().sum((1, 2), keepdim=True)
        rows = (x / (energy + _EPSILON).sqrt()).flatten(0, 1)
        scores, maps = [], []
        for window, discriminator in zip(self.config.window, self.discriminators, strict=True):
            spectra = torch.view_as_real(complex_spectra(rows, window)).movedim(-1, 1)
            score, features = discriminator(spectra.reshape(len(x), -1, *spectra.shape[2:]))
            scores.append(score)
            maps.append(features)
        return scores, maps


def build(config: Config) -> MultiFrequencyDiscriminator:
    """Return the discriminator for a parity `config` object."""
    return MultiFrequencyDiscriminator(DiscriminatorConfig.from_mapping(config))
