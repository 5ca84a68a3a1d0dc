"""Apollo's blocks: attention across bands, convolutions along time.

Features are `[rows, frames, bands, features]`, so that every 1x1 convolution of the authors' is one
matrix product and every norm runs along memory. Without gradients the features are worked on in
place, in tiles whose wide intermediates stay in the processor's cache: the attention sees one frame
at a time, the convolutions one band. Attribute names are those of the authors' checkpoints.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad, scaled_dot_product_attention, silu

from audiofix.backends.apollo.config import HEADS
from audiofix.nn.rms_norm import RMSNorm
from audiofix.nn.rotary import rotary_tables, rotate

KERNEL_FRAMES = 7
"""Of the convolutions along time, centred."""

_ROTARY_POSITIONS = 100
"""Rows of the tables in the authors' checkpoints; 80 are used, one a band."""

_TILE_TOKENS = 1280
"""Bands times frames that are worked on at once: 2048 features of each are 10 MB."""


class BandAttention(nn.Module):
    """One transformer layer across the bands of each frame."""

    cos_freq: Tensor
    sin_freq: Tensor

    def __init__(self, features: int) -> None:
        """Make the layer with fresh weights."""
        super().__init__()
        cosines, sines = rotary_tables(_ROTARY_POSITIONS, features // HEADS)
        self.register_buffer("cos_freq", cosines)
        self.register_buffer("sin_freq", sines)
        self.input_norm = RMSNorm(features)
        self.weight = nn.Conv1d(features, 3 * features, 1, bias=False)
        self.output = nn.Conv1d(features, features, 1, bias=False)
        self.MLP = nn.ModuleList(
            [RMSNorm(features), nn.Conv1d(features, 8 * features, 1, bias=False)]
        )
        self.MLP_output = nn.Conv1d(4 * features, features, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for `x` `[frames, bands, features]`."""
        x = x + pointwise(self.attend(self.input_norm(x)), self.output)
        gate, z = self.hidden(x).chunk(2, dim=-1)
        # The gate passes SiLU twice: so the authors' weights were trained.
        return x + pointwise(silu(gate).mul_(z), self.MLP_output)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the perceptron's hidden features, SiLU on both halves."""
        layer = cast(nn.Conv1d, self.MLP[1])
        return silu(pointwise(self.MLP[0](x), layer), inplace=not torch.is_grad_enabled())

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries, rotated keys and values, `[frames, heads, bands, d]` each."""
        bands = x.shape[-2]
        heads = pointwise(x, self.weight).unflatten(-1, (HEADS, 3, -1)).permute(3, 0, 2, 1, 4)
        cosines, sines = self.cos_freq[:bands], self.sin_freq[:bands]
        return rotate(heads[0], cosines, sines), rotate(heads[1], cosines, sines), heads[2]

    def attend(self, x: Tensor) -> Tensor:
        """Return what every band takes from all bands, heads side by side."""
        return scaled_dot_product_attention(*self.project(x)).transpose(1, 2).flatten(2)


class TimeUnit(nn.Module):
    """A residual unit along time: depthwise convolution, norm, two layers of a perceptron."""

    def __init__(self, features: int) -> None:
        """Make the unit with fresh weights."""
        super().__init__()
        # The third is the authors' SiLU, which has no weights.
        self.conv = nn.ModuleList(
            [
                nn.Conv1d(features, features, KERNEL_FRAMES, groups=features),
                RMSNorm(features),
                nn.Conv1d(features, 4 * features, 1),
                nn.SiLU(inplace=True),
                nn.Conv1d(4 * features, features, 1),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the unit's output where the kernel fits.

        Args:
            x: `[..., frames, bands, features]`.

        Returns:
            The same shape with 6 frames less, 3 at either end.
        """
        depthwise, norm, widen, activation, narrow = self.conv
        frames = x.shape[-3] - KERNEL_FRAMES + 1
        kernel = cast(Tensor, depthwise.weight)[:, 0]
        mixed = cast(Tensor, depthwise.bias) + x.narrow(-3, 0, frames) * kernel[:, 0]
        for tap in range(1, KERNEL_FRAMES):
            mixed = torch.addcmul(mixed, x.narrow(-3, tap, frames), kernel[:, tap])
        hidden = activation(pointwise(norm(mixed), cast(nn.Conv1d, widen)))
        return x.narrow(-3, KERNEL_FRAMES // 2, frames) + pointwise(hidden, cast(nn.Conv1d, narrow))


class TimeConvolution(nn.Module):
    """Three units along time, in every band alike."""

    def __init__(self, features: int) -> None:
        """Make the units with fresh weights."""
        super().__init__()
        self.blocks = nn.ModuleList(TimeUnit(features) for _ in range(3))

    def units(self) -> list[TimeUnit]:
        """Return the units in order."""
        return cast(list[TimeUnit], list(self.blocks))


class Block(nn.Module):
    """One block of the network."""

    def __init__(self, features: int) -> None:
        """Make both halves with fresh weights."""
        super().__init__()
        self.band_net = BandAttention(features)
        self.seq_net = TimeConvolution(features)

    def across(self, x: Tensor) -> Tensor:
        """Return features `[rows, frames, bands, features]` after the attention across bands."""
        bands = x.shape[2]
        frames = max(1, _TILE_TOKENS // bands)
        made = by_tiles(self.band_net, x.flatten(0, 1), frames)
        return made.view(x.shape)

    def along(self, x: Tensor) -> Tensor:
        """Return features of the same shape after the convolutions, silence before and after."""
        for unit in self.seq_net.units():
            x = convolve(unit, pad(x, (0, 0, 0, 0, KERNEL_FRAMES // 2, KERNEL_FRAMES // 2)))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for all frames of a sound."""
        return self.along(self.across(x))


def pointwise(x: Tensor, convolution: nn.Conv1d) -> Tensor:
    """Apply a 1x1 convolution to the last axis."""
    return linear(x, convolution.weight[:, :, 0], convolution.bias)


def convolve(unit: TimeUnit, x: Tensor) -> Tensor:
    """Apply a unit to `[rows, frames, bands, features]`, a few bands at a time."""
    if torch.is_grad_enabled():
        return cast(Tensor, unit(x))
    bands = max(1, _TILE_TOKENS // (x.shape[0] * x.shape[1]))
    result = x.new_empty((x.shape[0], x.shape[1] - KERNEL_FRAMES + 1, *x.shape[2:]))
    for start in range(0, x.shape[2], bands):
        result[:, :, start : start + bands] = unit(x[:, :, start : start + bands].contiguous())
    return result


def by_tiles(layer: Callable[[Tensor], Tensor], x: Tensor, size: int) -> Tensor:
    """Apply a layer that sees items of the first axis one by one; without gradients in place."""
    if torch.is_grad_enabled():
        return layer(x)
    for tile in x.split(size):
        tile.copy_(layer(tile))
    return x
