"""VM-ASR's multi-period discriminator (after HiFi-GAN, Kong et al., 2020), with spectral norm.

Used in training only. Attribute names are those of the authors' checkpoints.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from torch.nn.utils.parametrizations import spectral_norm

from audiofix.backends.tasks import Config
from audiofix.settings import NetworkSettings

Scores = list[Tensor]
Maps = list[list[Tensor]]


@dataclass(frozen=True, slots=True)
class DiscriminatorConfig(NetworkSettings):
    """Width of the first convolution, and the periods."""

    hidden: int = 32
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)


class PeriodDiscriminator(nn.Module):
    """Scores a wave folded to rows of `period` samples."""

    def __init__(self, period: int, hidden: int) -> None:
        """Make five convolutions along the folded time, and the score's."""
        super().__init__()
        self.period = period
        widths = [1, hidden, 4 * hidden, 16 * hidden, 32 * hidden, 32 * hidden]
        strides = [3, 3, 3, 3, 1]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(narrow, wide, (5, 1), (stride, 1), (2, 0)))
            for narrow, wide, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.conv_post = spectral_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return scores `[batch, n]` and six feature maps of `[batch, 1, samples]`."""
        x = pad(x, (0, -x.shape[-1] % self.period), "reflect")
        x = x.unflatten(-1, (-1, self.period))
        maps = []
        for layer in self.layers:
            x = gelu(layer(x))
            maps.append(x)
        x = self.conv_post(x)
        return x.flatten(1), [*maps, x]


class MultiPeriodDiscriminator(nn.Module):
    """One discriminator a period."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        """Make the discriminators."""
        super().__init__()
        self.discriminators = nn.ModuleList(
            PeriodDiscriminator(period, config.hidden) for period in config.periods
        )

    def forward(
        self, real: Tensor, fake: Tensor | None = None
    ) -> tuple[Scores, Scores, Maps, Maps]:
        """Score two waves `[batch, 1, samples]`; without `fake`, zeros stand for its results.

        Returns:
            Scores of real and of fake, feature maps of real and of fake, one entry a period.
        """
        real_scores, real_maps = self._scored(real)
        if fake is None:
            zero_maps = [[torch.zeros_like(one) for one in maps] for maps in real_maps]
            return real_scores, [torch.zeros_like(s) for s in real_scores], real_maps, zero_maps
        fake_scores, fake_maps = self._scored(fake)
        return real_scores, fake_scores, real_maps, fake_maps

    def _scored(self, x: Tensor) -> tuple[Scores, Maps]:
        found = [discriminator(x) for discriminator in self.discriminators]
        return [scores for scores, _ in found], [maps for _, maps in found]


def build(config: Config) -> MultiPeriodDiscriminator:
    """Return the discriminator for a parity `config` object."""
    return MultiPeriodDiscriminator(DiscriminatorConfig.from_mapping(config))
