"""The Apollo generator (Li and Luo, ICASSP 2025): decoded sound in, its original's estimate out.

The spectrum is split into 80 bands; blocks of attention across bands and convolutions along time
work on their features; the whole spectrum is made anew, or, in the `residual` configuration,
corrected. Attribute names are those of the authors' checkpoints.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import glu, pad, rms_norm

from audiofix.backends.apollo.blocks import Block, pointwise
from audiofix.backends.apollo.config import BANDS, ApolloConfig
from audiofix.backends.tasks import Config
from audiofix.nn.rms_norm import RMS_EPSILON, RMSNorm

_EPSILON = torch.finfo(torch.float32).eps
"""Added to a band's energy, as published."""

DITHER_PERIOD = 441_000
"""Samples after which the noise repeats."""

_SHUT_GATE = -5.0
"""Where the gates of a fresh residual network begin: nearly no correction."""


class Apollo(nn.Module):
    """Maps sound `[batch, channels, samples]` to sound of that shape, each channel by itself.

    Spectra travel as complex `[rows, frames, bins]`, features as `[rows, frames, bands, features]`,
    a row for each channel.
    """

    window: Tensor
    noise: Tensor

    def __init__(self, config: ApolloConfig) -> None:
        """Make the network with fresh weights."""
        super().__init__()
        self.config = config
        features = config.feature_dim
        self.register_buffer(
            "window", torch.hann_window(config.window, device="cpu"), persistent=False
        )
        if config.dither:
            seeded = torch.Generator().manual_seed(0)
            noise = torch.randn(DITHER_PERIOD, generator=seeded, device="cpu")
            self.register_buffer("noise", config.dither * noise, persistent=False)
        self.BN = nn.ModuleList(
            nn.ModuleList([RMSNorm(2 * bins + 1), nn.Conv1d(2 * bins + 1, features, 1)])
            for bins in config.band_bins
        )
        self.net = nn.ModuleList(Block(features) for _ in range(config.layer))
        self.output = nn.ModuleList(
            nn.ModuleList([RMSNorm(features), nn.Conv1d(features, 4 * bins, 1)])
            for bins in config.band_bins
        )
        if config.residual:
            for layer, bins in zip(_layers(self.output), config.band_bins, strict=True):
                assert layer.bias is not None
                nn.init.constant_(layer.bias[2 * bins :], _SHUT_GATE)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Return the estimate of the original.

        Args:
            x: `[batch, channels, samples]`, more than half a window of samples.
            start: the place of the first sample in the noise of `config.dither`.

        Returns:
            The same shape.
        """
        rows = x.flatten(0, 1)
        spectra = seen = self.spectra(rows)
        if self.config.dither:
            seen = spectra + self.spectra(self.dither(start, rows.shape[1])[None])
        features = self.encode(seen)
        for block in self.blocks():
            features = block(features)
        return self.sound(self.decode(features, spectra), rows.shape[1]).view_as(x)

    def blocks(self) -> list[Block]:
        """Return the blocks in order."""
        return cast(list[Block], list(self.net))

    def spectra(self, rows: Tensor) -> Tensor:
        """Return complex spectra `[rows, frames, bins]` of `[rows, samples]`, ends reflected."""
        half = self.config.window // 2
        return self.framed(pad(rows, (half, half), "reflect"))

    def framed(self, rows: Tensor) -> Tensor:
        """Return the spectra of every window that fits, the first from the first sample on."""
        config = self.config
        if rows.shape[1] < config.window:
            return rows.new_zeros((rows.shape[0], 0, config.bins), dtype=torch.complex64)
        spectra = torch.stft(
            rows, config.window, config.hop, window=self.window, center=False, return_complex=True
        )
        return spectra.transpose(1, 2)

    def sound(self, spectra: Tensor, samples: int) -> Tensor:
        """Return the sound `[rows, samples]` of spectra, the first centred on its first sample."""
        config = self.config
        return torch.istft(
            spectra.transpose(1, 2), config.window, config.hop, window=self.window, length=samples
        )

    def dither(self, start: int, samples: int) -> Tensor:
        """Return `[samples]` of the noise from the place `start` on."""
        places = torch.arange(start, start + samples, device=self.noise.device)
        return self.noise[places % DITHER_PERIOD]

    def power(self, spectra: Tensor) -> Tensor:
        """Return the root of each band's energy, `[rows, frames, bands]`, never zero."""
        energy = spectra.real.square() + spectra.imag.square()
        equal, last = self._split(energy)
        return torch.cat([equal.sum(-1), last.sum(-1, keepdim=True)], -1).add(_EPSILON).sqrt()

    def encode(self, spectra: Tensor) -> Tensor:
        """Return the bands' features: their normalised bins and the logarithm of their power."""
        power = self.power(spectra)
        equal, last = self._split(spectra)
        equal, last = _project(
            _entries(equal, power[..., :-1]), _entries(last, power[..., -1]), self.BN
        )
        return torch.cat([equal, last[..., None, :]], dim=2)

    def decode(self, features: Tensor, spectra: Tensor) -> Tensor:
        """Return the estimate's spectra.

        Args:
            features: `[rows, frames, bands, features]`.
            spectra: of the input, `[rows, frames, bins]`; a residual network corrects them.
        """
        equal, last = _project(features[:, :, :-1], features[:, :, -1], self.output)
        made = torch.cat([_complex(equal).flatten(2), _complex(last)], dim=-1)
        if not self.config.residual:
            return made
        level = torch.linalg.vector_norm(spectra, dim=-1, keepdim=True)
        corrected: Tensor = spectra + level * made
        return corrected

    def _split(self, bins: Tensor) -> tuple[Tensor, Tensor]:
        """Return the equal bands `[rows, frames, 79, bins]`, and the last one's bins."""
        size = self.config.band_bins[0]
        cut = size * (BANDS - 1)
        return bins[..., :cut].unflatten(-1, (BANDS - 1, size)), bins[..., cut:]


def _entries(bins: Tensor, power: Tensor) -> Tensor:
    """Return what describes a band: real parts and imaginary over power, logarithm of power."""
    real, imaginary = bins.real / power[..., None], bins.imag / power[..., None]
    return torch.cat([real, imaginary, power.log()[..., None]], dim=-1)


def _project(equal: Tensor, last: Tensor, bands: nn.ModuleList) -> tuple[Tensor, Tensor]:
    """Apply each band's norm and 1x1 convolution: the equal bands at once, and the last one.

    Args:
        equal: `[rows, frames, 79, entries]`.
        last: `[rows, frames, entries]`.
        bands: a norm and a convolution for each band.
    """
    *norms, last_norm = [cast(Tensor, cast(nn.ModuleList, band)[0].weight) for band in bands]
    *layers, last_layer = _layers(bands)
    weights = torch.stack([layer.weight[:, :, 0] for layer in layers])
    biases = torch.stack([cast(Tensor, layer.bias) for layer in layers])
    normed = _rms_normed(equal) * torch.stack(norms)
    projected = torch.einsum("rtki,koi->rtko", normed, weights) + biases
    return projected, pointwise(_rms_normed(last) * last_norm, last_layer)


def _layers(bands: nn.ModuleList) -> Sequence[nn.Conv1d]:
    return [cast(nn.Conv1d, cast(nn.ModuleList, band)[1]) for band in bands]


def _rms_normed(x: Tensor) -> Tensor:
    return rms_norm(x.float(), x.shape[-1:], eps=RMS_EPSILON)


def _complex(x: Tensor) -> Tensor:
    """Return complex bins of `[..., 4 bins]`: gated real parts, then gated imaginary parts."""
    real, imaginary = glu(x.float(), dim=-1).chunk(2, dim=-1)
    return torch.complex(real.contiguous(), imaginary.contiguous())


def build(config: Config) -> Apollo:
    """Return the network for a parity `config` object."""
    return Apollo(ApolloConfig.from_mapping(config))
