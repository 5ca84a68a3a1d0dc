"""What the envelope networks are made of, and how they stream: in blocks of a few frames."""

import torch
from torch import Tensor, nn

from audiofix.nn.conv import CausalConv1d
from audiofix.nn.state import StreamState, is_time_major

STATISTICS = 5
"""Per band: level, running floor, mean and peak, peakedness; see `bands`."""

_USUAL_PEAKEDNESS = 0.25

BLOCK_FRAMES = 4
"""Frames that a stream multiplies together, however many come: a product of more rows may add in
another order, and bits must not depend on how a stream is cut."""


class BlockedConv1d(CausalConv1d):
    """A causal convolution that streams in blocks of `BLOCK_FRAMES`."""

    def _multiplied(self, rows: Tensor) -> Tensor:
        assert self.conv.bias is not None
        return _in_blocks(rows, self.packed[0], self.conv.bias)


class GatedLayer(nn.Module):
    """A residual layer: a gated dilated convolution and a mix of its channels."""

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        """Make the layer."""
        super().__init__()
        self.gated = BlockedConv1d(channels, 2 * channels, kernel_size, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return `x` and what the layer adds, `[batch, channels, frames]` or time-major."""
        value, gate = self.gated(x, state).chunk(2, dim=2 if is_time_major(state) else 1)
        return x + pointwise(self.mix, torch.tanh(value) * torch.sigmoid(gate), state)


def pointwise(layer: nn.Conv1d, x: Tensor, state: StreamState | None) -> Tensor:
    """Apply a convolution of one tap, in the layout that goes with the state."""
    if is_time_major(state):
        assert layer.bias is not None
        return _in_blocks(x, layer.weight[:, :, 0].T, layer.bias)
    result: Tensor = layer(x)
    return result


def features_of(statistics: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is known of each frame, relative to the recording's own running level.

    Args:
        statistics: `[batch, frames, 5, bands]`.
        present: 1 for bands that count, else 0, `[batch, frames, bands]`.

    Returns:
        Features `[batch, frames, 6 * bands]`, and the running level `[batch, frames, 1]`.
    """
    level = (statistics[:, :, 2] * present).sum(-1, keepdim=True) / present.sum(-1, keepdim=True)
    relative = torch.cat(
        [statistics[:, :, :4] - level[:, :, None], statistics[:, :, 4:] - _USUAL_PEAKEDNESS], dim=2
    )
    features = torch.cat([relative * present[:, :, None], present[:, :, None]], dim=2)
    return features.flatten(2), level


def laid_out(x: Tensor, state: StreamState | None) -> Tensor:
    """Return `[batch, frames, channels]` in the layout of the state, or turn that back."""
    return x if is_time_major(state) else x.transpose(1, 2)


def _in_blocks(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return `x @ weight + bias` of `[1, frames, channels]`, frames a multiple of the block."""
    blocks = x.reshape(-1, BLOCK_FRAMES, x.shape[2])
    product = torch.baddbmm(bias, blocks, weight.expand(len(blocks), -1, -1))
    return product.view(1, -1, weight.shape[1])
