"""ASGAN's discriminator (specification, section 6.2). Attribute names are the authors'."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from audiofix.backends.asgan.config import DiscriminatorConfig
from audiofix.backends.asgan.equalized import EqualizedConv1d, EqualizedLinear
from audiofix.backends.asgan.resampling import Resampler
from audiofix.backends.tasks import Config
from audiofix.errors import SettingsError

_CLAMP = 256.0
_GAIN = math.sqrt(2)
_GROUP = 4
"""Items whose deviation is compared."""

_DEVIATION_GUARD = 1e-8


class ResidualBlock(nn.Module):
    """Two convolutions beside a short cut, at half the rate where the length changes."""

    def __init__(
        self, in_channels: int, out_channels: int, down: int, config: DiscriminatorConfig
    ) -> None:
        """Make the block."""
        super().__init__()
        kernel, equalized = config.kernel_size, config.equalized_lr
        self.slope, self.down = config.lrelu_coeff, down
        self.conv0 = EqualizedConv1d(in_channels, in_channels, kernel, equalized)
        self.conv1 = EqualizedConv1d(in_channels, out_channels, kernel, equalized, stride=down)
        self.skip = EqualizedConv1d(in_channels, out_channels, 1, equalized, bias=False)
        self.resampler = Resampler(1, down)
        if down > 1:
            # Of factor 1, hence an identity up to 1e-8: a slip of the authors, kept.
            self.lpf = Resampler(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, out_channels, ceil(time / down)]`."""
        y = leaky_relu(self.conv0(x).clamp(-_CLAMP, _CLAMP), self.slope)
        if self.down > 1:
            x, y = self.resampler.down(x), self.lpf.down(y)
        short = self.skip(x) * _GAIN
        y = self.conv1(y).clamp(-_CLAMP, _CLAMP) * _GAIN
        return leaky_relu(y, self.slope) + short  # type: ignore[no-any-return]


class Head(nn.Module):
    """Compares the items of a batch, and decides."""

    def __init__(self, frames: int, config: DiscriminatorConfig) -> None:
        """Make the head for maps of so many frames."""
        super().__init__()
        width, kernel, equalized = config.d_dim, config.kernel_size, config.equalized_lr
        self.slope = config.lrelu_coeff
        self.gain = _GAIN if equalized else 1.0
        # The fan-in leaves out the channel of deviations.
        self.conv = EqualizedConv1d(width + 1, width, kernel, equalized, fan_in=width * kernel)
        self.fc = EqualizedLinear(width * frames, width, equalized)
        self.out = EqualizedLinear(width, 1, equalized)

    def features(self, x: Tensor) -> Tensor:
        """Return what the decision is made of, `[batch, d_dim]`."""
        x = torch.cat([x, batch_deviation(x)], dim=1)
        x = self.conv(x).clamp(-_CLAMP, _CLAMP)
        x = leaky_relu(x, self.slope) * self.gain
        return leaky_relu(self.fc(x.flatten(1)), self.slope) * self.gain

    def forward(self, x: Tensor) -> Tensor:
        """Return logits `[batch, 1]` of maps `[batch, d_dim, frames]`."""
        return self.out(self.features(x))  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Features to the logit of their being real."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        """Make the discriminator with fresh weights."""
        super().__init__()
        self.config = config
        blocks, channels = [], config.c_dim
        for before, after in pairwise(config.lengths):
            down = 1 if before == after else 2
            blocks.append(ResidualBlock(channels, config.d_dim, down, config))
            channels = config.d_dim
        self.layers = nn.ModuleList(blocks)
        self.head = Head(config.lengths[-1], config)

    def maps(self, c: Tensor) -> Tensor:
        """Return the blocks' result, `[batch, d_dim, frames / 2^...]`."""
        x = c.transpose(1, 2)
        for block in self.layers:
            x = block(x)
        return x

    def forward(self, c: Tensor) -> Tensor:
        """Return logits `[batch, 1]` of features `[batch, frames, c_dim]`."""
        return self.head(self.maps(c))  # type: ignore[no-any-return]


def batch_deviation(x: Tensor) -> Tensor:
    """Return the mean deviation among four items, as a channel `[batch, 1, time]`.

    Item i is compared with i + batch / 4, i + batch / 2, ... (Karras et al., 2018).

    Raises:
        SettingsError: the batch cannot be shared out into groups of four.
    """
    batch, channels, time = x.shape
    group = min(_GROUP, batch)
    if batch % group:
        raise SettingsError(f"batch of {batch}: must be a multiple of {group}")
    grouped = x.view(group, batch // group, channels, time)
    variance = grouped.var(0, correction=0)
    deviation = (variance + _DEVIATION_GUARD).sqrt().mean((1, 2))
    return deviation.repeat(group)[:, None, None].expand(-1, 1, time)


def build(config: Config) -> Discriminator:
    """Return the discriminator for an authors' or parity `config` object."""
    return Discriminator(DiscriminatorConfig.from_mapping(config))
