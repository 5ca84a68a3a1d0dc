"""Blocks of A2SB's UNet. Names of attributes are those of the released checkpoints."""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import group_norm, interpolate, scaled_dot_product_attention

_NORM_GROUPS = 32
_ROTARY_DIMS = 32
"""Of each axis: 16 frequencies, each for a pair of channels. Fixed in the released networks."""

_BAND_PI = 3.14
"""The authors' own value; the released networks were trained with it."""


class GroupNorm32(nn.GroupNorm):
    """Group normalisation in float32, whatever the type of its input."""

    def __init__(self, channels: int) -> None:
        """Normalise `channels` in 32 groups."""
        super().__init__(_NORM_GROUPS, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `[batch, channels, ...]`."""
        with torch.autocast(x.device.type, enabled=False):
            normed = group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps)
        return normed.to(x.dtype)


def time_embedding(t: Tensor, channels: int) -> Tensor:
    """Return `[batch, channels]`: sines, then cosines of `t` at 0.5 to 16 radians per unit.

    Args:
        t: `[batch]`, 0 to 1.
        channels: even.
    """
    angles = t[:, None].float() * torch.linspace(0.5, 16, channels // 2, device=t.device)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def band_embedding(rows: int, channels: int, device: torch.device) -> Tensor:
    """Return `[channels, rows]`: what tells the network which frequency a row is.

    Args:
        rows: of the level.
        channels: even; half of them are cosines, half sines.
        device: where.
    """
    orders = torch.arange(1, channels // 2 + 1, device=device)[:, None]
    twice = orders * torch.arange(rows, device=device)[None] * 2
    angles = twice.float() * _BAND_PI / (3 * rows)
    return torch.cat([angles.cos(), angles.sin()])


class ResBlock(nn.Module):
    """Two convolutions; the second's input is scaled and shifted by time and frequency."""

    def __init__(self, channels: int, condition_channels: int, dropout: float) -> None:
        """Keep `channels`."""
        super().__init__()
        conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.in_layers = nn.Sequential(GroupNorm32(channels), nn.SiLU(), conv)
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Conv2d(condition_channels, 2 * channels, 1))
        self.out_norm = GroupNorm32(channels)
        last = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(cast(Tensor, last.bias))
        self.out_rest = nn.Sequential(nn.SiLU(), nn.Dropout(dropout), last)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Add to `x` what the convolutions make of it.

        Args:
            x: `[batch, channels, rows, frames]`.
            condition: `[batch, condition_channels, rows, 1]`; it is the same in every frame.
        """
        scale, shift = self.emb_layers(condition).chunk(2, dim=1)
        h = self.out_norm(self.in_layers(x)) * (1 + scale) + shift
        result: Tensor = x + self.out_rest(h)
        return result


class AxialRotary(nn.Module):
    """Rotary position embedding over both axes of an image (Su et al., 2021), each from -1 to 1."""

    def __init__(self) -> None:
        """Hold the frequencies, which are in the authors' state dict and are not trained."""
        super().__init__()
        half = _ROTARY_DIMS // 2
        freqs = torch.linspace(1, _ROTARY_DIMS, half, device="cpu") * math.pi
        self.freqs = nn.Parameter(freqs, requires_grad=False)

    def angles(self, rows: int, frames: int) -> Tensor:
        """Return `[rows, frames, 64]`: the angle of each channel of a head at each position."""
        parts = []
        for size in (rows, frames):
            place = torch.linspace(-1, 1, size, device=self.freqs.device)
            parts.append((place[:, None] * self.freqs.float()).repeat_interleave(2, dim=1))
        wide = (rows, frames, _ROTARY_DIMS)
        return torch.cat([parts[0][:, None].expand(wide), parts[1][None].expand(wide)], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Rotate the first 64 channels of `x` `[batch, heads, rows, frames, channels]`."""
        angles = self.angles(x.shape[2], x.shape[3])
        count = angles.shape[-1]
        turned = x[..., :count].float()
        # (a, b) -> (a cos - b sin, b cos + a sin)
        swapped = torch.stack([-turned[..., 1::2], turned[..., ::2]], dim=-1).flatten(-2)
        turned = turned * angles.cos() + swapped * angles.sin()
        return torch.cat([turned.to(x.dtype), x[..., count:]], dim=-1)


class Attention(nn.Module):
    """Full attention over all positions. Its output replaces its input: there is no residual."""

    def __init__(self, channels: int, heads: int, *, use_input_norm: bool) -> None:
        """Attend with `heads` heads of `channels / heads`, at least 64, channels."""
        super().__init__()
        self.heads = heads
        self.gnorm: nn.Module | None = GroupNorm32(channels) if use_input_norm else None
        self.q_proj = nn.Conv2d(channels, channels, 1)
        self.k_proj = nn.Conv2d(channels, channels, 1)
        self.v_proj = nn.Conv2d(channels, channels, 1)
        self.pos_emb = AxialRotary()

    def queries_and_keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return rotated queries and keys `[batch, heads, rows, frames, channels]`.

        Args:
            x: normalised, `[batch, channels, rows, frames]`.
        """
        q, k = self._headed(self.q_proj(x)), self._headed(self.k_proj(x))
        return self.pos_emb(q), self.pos_emb(k)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within `x` `[batch, channels, rows, frames]`."""
        batch, channels, rows, frames = x.shape
        if self.gnorm is not None:
            x = self.gnorm(x)
        q, k = self.queries_and_keys(x)
        v = self._headed(self.v_proj(x))
        q, k, v = (part.flatten(2, 3) for part in (q, k, v))
        attended = scaled_dot_product_attention(q, k, v)
        result: Tensor = attended.transpose(2, 3).reshape(batch, channels, rows, frames)
        return result

    def _headed(self, x: Tensor) -> Tensor:
        headed: Tensor = x.unflatten(1, (self.heads, -1)).permute(0, 1, 3, 4, 2)
        return headed


class Downsample(nn.Module):
    """Halve both axes."""

    def __init__(self, channels: int, wider: int) -> None:
        """Go from `channels` to `wider`."""
        super().__init__()
        self.op = nn.Conv2d(channels, wider, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, wider, rows / 2, frames / 2]`."""
        result: Tensor = self.op(x)
        return result


class Upsample(nn.Module):
    """Double both axes by repetition, then smooth."""

    def __init__(self, channels: int, narrower: int) -> None:
        """Go from `channels` to `narrower`."""
        super().__init__()
        self.conv = nn.Conv2d(channels, narrower, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, narrower, 2 rows, 2 frames]`."""
        result: Tensor = self.conv(interpolate(x, scale_factor=2.0, mode="nearest"))
        return result
