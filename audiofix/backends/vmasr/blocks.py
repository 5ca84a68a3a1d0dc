"""The parts of VM-ASR's U-Net. Between them tensors are `[batch, height, width, channels]`.

Height is frequency and width is time. Attribute names and the places in each `nn.Sequential` are
those of released checkpoints.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad

from audiofix.backends.vmasr.scan2d import SS2D
from audiofix.ops.layer_norm import LayerNorm
from audiofix.ops.plane_scan import perceive, runs_natively


class Permute(nn.Module):
    """Reorder axes, as a layer."""

    def __init__(self, *axes: int) -> None:
        """Put the input's axes in the order `axes`."""
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """Return the permuted view."""
        return x.permute(self.axes)


def channels_first() -> Permute:
    """Return a layer from `[batch, height, width, channels]` to channels first."""
    return Permute(0, 3, 1, 2)


def channels_last() -> Permute:
    """Return the inverse of `channels_first`."""
    return Permute(0, 2, 3, 1)


class DropPath(nn.Module):
    """Stochastic depth (Huang et al., 2016): in training, drop a whole branch per item."""

    def __init__(self, rate: float) -> None:
        """Drop with probability `rate`, and scale what stays by `1 / (1 - rate)`."""
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, or zeros for the items that are dropped."""
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * kept / (1 - self.rate)


class Mlp(nn.Module):
    """Two linear layers around a GELU."""

    def __init__(self, channels: int, hidden: int) -> None:
        """Make a perceptron with `hidden` units."""
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, `[batch, height, width, channels]`."""
        if x.shape[-1] == 1 and runs_natively(x.permute(0, 3, 1, 2), state=1):
            places = x.reshape(x.shape[0], 1, -1)  # one channel: first is last
            return perceive(places, self.fc1, self.fc2).view_as(x)
        output: Tensor = self.fc2(gelu(self.fc1(x)))
        return output


class VSSBlock(nn.Module):
    """Visual state-space block: scan, then perceptron, each on a residual branch."""

    def __init__(
        self,
        hidden_dim: int,
        *,
        ssm_d_state: int,
        ssm_ratio: float,
        mlp_ratio: float,
        ssm_dt_rank: int | Literal["auto"] = "auto",
        drop_path: float = 0.0,
        normalise: bool = True,
    ) -> None:
        """Make a block of `hidden_dim` channels, with or without layer norms."""
        super().__init__()
        self.norm = LayerNorm(hidden_dim) if normalise else nn.Identity()
        self.op = SS2D(hidden_dim, ssm_d_state, ssm_ratio, ssm_dt_rank)
        self.drop_path = DropPath(drop_path)
        self.norm2 = LayerNorm(hidden_dim) if normalise else nn.Identity()
        self.mlp = Mlp(hidden_dim, int(mlp_ratio * hidden_dim))
        self.fused: Callable[[Tensor], Tensor] | None = None
        """The whole block as one kernel, for inference; see `fuse.fuse`."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, `[batch, height, width, channels]`."""
        if self.fused and not torch.is_grad_enabled():
            return self.fused(x)
        x = x + self.drop_path(self.op(self.norm(x)))
        output: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return output


class PatchMerging(nn.Module):
    """Halve height and width, double the channels."""

    def __init__(self, channels: int) -> None:
        """Make the layer for `channels` input channels."""
        super().__init__()
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = LayerNorm(4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, ceil(height / 2), ceil(width / 2), 2 * channels]`."""
        x = pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        quarters = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        output: Tensor = self.reduction(self.norm(torch.cat(quarters, dim=-1)))
        return output


class PatchExpanding(nn.Module):
    """Double height and width, halve the channels."""

    def __init__(self, channels: int) -> None:
        """Make the layer for `channels` input channels."""
        super().__init__()
        self.expand = nn.Linear(channels, 2 * channels, bias=False)
        self.norm = LayerNorm(channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, 2 * height, 2 * width, channels // 2]`."""
        batch, height, width, channels = x.shape
        parts = self.expand(x).view(batch, height, width, 2, 2, channels // 2)
        plane = parts.permute(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, -1)
        output: Tensor = self.norm(plane)
        return output


class Layer(nn.Module):
    """One level of the U-Net: take the skip in, run the blocks, change the size."""

    def __init__(
        self, blocks: list[VSSBlock], sampler: nn.Module | None = None, skip_channels: int = 0
    ) -> None:
        """Make a level; `skip_channels` > 0 halves a concatenated skip back to so many channels."""
        super().__init__()
        self.skip_handler: nn.Module = nn.Identity()
        if skip_channels:
            self.skip_handler = nn.Sequential(
                channels_first(),
                nn.Conv2d(2 * skip_channels, skip_channels, 1),
                channels_last(),
            )
        self.blocks = nn.Sequential(*blocks)
        self.sampler = sampler or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the level's output."""
        output: Tensor = self.sampler(self.blocks(self.skip_handler(x)))
        return output


def patch_embedding(channels: int) -> nn.Sequential:
    """Return the stem: `[batch, 1, height, width]` to a quarter of both, channels last."""
    half = channels // 2
    return nn.Sequential(
        nn.Conv2d(1, half, 3, stride=2, padding=1),
        channels_last(),
        LayerNorm(half),
        channels_first(),
        nn.GELU(),
        nn.Conv2d(half, channels, 3, stride=2, padding=1),
        channels_last(),
        LayerNorm(channels),
    )
