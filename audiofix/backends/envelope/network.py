"""The envelope network: from the levels of the bands that are there to those that are missing.

Causal gated convolutions over frames (van den Oord et al., WaveNet, 2016, section 2.3) with all
bands of a frame as channels. Levels are relative to the recording's own running level, so that
nothing depends on gain; the running floor tells where the recording's noise lies.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.extrapolation import extrapolated
from audiofix.nn.conv import CausalConv1d
from audiofix.nn.state import StreamState, is_time_major

STATISTICS = 5
"""Per band: level, running floor, mean and peak, peakedness."""

_USUAL_LEVEL, _LEVEL_SPREAD = -6.0, 2.0
_START, _SLOPE = -1.0, -0.03
"""What an untrained network that does not extrapolate says: this far below the running level,
falling per band."""

_HEADROOM = 3.0
"""log10 power by which the new band may exceed the median level of the octave below it: a tone
alone there is in few bands and cannot call up a band of noise."""

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
        return x + _pointwise(self.mix, torch.tanh(value) * torch.sigmoid(gate), state)


class EnvelopeNetwork(nn.Module):
    """Predicts the levels of all bands from those below an edge."""

    def __init__(self, config: EnvelopeConfig) -> None:
        """Make the network with fresh weights."""
        super().__init__()
        self.config = config
        inputs = (STATISTICS + 1) * config.bands + 2
        self.into = nn.Conv1d(inputs, config.channels, 1)
        self.layers = nn.ModuleList(
            GatedLayer(config.channels, config.kernel_size, dilation)
            for dilation in config.dilations
        )
        self.out = nn.Conv1d(config.channels, config.bands, 1)
        self.straight = nn.Conv1d(inputs, config.bands, 1)
        self.dropped = nn.Dropout(config.dropout)
        for layer in (self.out, self.straight):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(
        self, statistics: Tensor, heard: Tensor, edge: Tensor, state: StreamState | None = None
    ) -> Tensor:
        """Return log10 power per band, `[batch, frames, bands]`.

        Result frame k speaks of input frame `k - config.lookahead`.

        Args:
            statistics: `[batch, frames, 5, bands]`: level, running floor, mean, peak, peakedness.
            heard: how much of the statistics' time has passed, 0 to 1, `[batch, frames]`.
            edge: the first missing band, `[batch, frames]`, at least 1.
            state: the stream that is continued. A time-major one is faster; see `nn.conv`.
        """
        places = torch.arange(self.config.bands, device=edge.device)
        present = (places < edge[..., None]).to(statistics.dtype)
        count = present.sum(-1, keepdim=True)
        level = (statistics[:, :, 2] * present).sum(-1, keepdim=True) / count
        relative = torch.cat(
            [statistics[:, :, :4] - level[:, :, None], statistics[:, :, 4:] - 0.25], dim=2
        )
        features = torch.cat([relative * present[:, :, None], present[:, :, None]], dim=2)
        overall = (level - _USUAL_LEVEL) / _LEVEL_SPREAD
        x = torch.cat([features.flatten(2), overall, heard[..., None]], dim=2)
        if not is_time_major(state):
            x = x.transpose(1, 2)
        x = self.dropped(x)
        hidden = torch.relu(_pointwise(self.into, x, state))
        for layer in self.layers:
            hidden = self.dropped(layer(hidden, state))
        change = _pointwise(self.out, hidden, state) + _pointwise(self.straight, x, state)
        if not is_time_major(state):
            change = change.transpose(1, 2)
        if self.config.extrapolates:
            return extrapolated(statistics, edge) + change
        above = (places - edge[..., None]).clamp(min=0)
        result: Tensor = level + _START + _SLOPE * above + change
        return result


def _pointwise(layer: nn.Conv1d, x: Tensor, state: StreamState | None) -> Tensor:
    """Apply a convolution of one tap, in the layout that goes with the state."""
    if is_time_major(state):
        assert layer.bias is not None
        return _in_blocks(x, layer.weight[:, :, 0].T, layer.bias)
    result: Tensor = layer(x)
    return result


def _in_blocks(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return `x @ weight + bias` of `[1, frames, channels]`, frames a multiple of the block."""
    blocks = x.reshape(-1, BLOCK_FRAMES, x.shape[2])
    product = torch.baddbmm(bias, blocks, weight.expand(len(blocks), -1, -1))
    return product.view(1, -1, weight.shape[1])


def highest_level(level: Tensor, edge: Tensor) -> Tensor:
    """Return the most that the missing bands may have, `[batch, frames, 1]`.

    Args:
        level: `[batch, frames, bands]`.
        edge: the first missing band, `[batch, frames]`.
    """
    places = torch.arange(level.shape[-1], device=edge.device)
    octave = (places < edge[..., None]) & (places >= edge[..., None] // 2)
    known = torch.where(octave, level, torch.nan)
    return known.nanmedian(dim=-1, keepdim=True).values + _HEADROOM


def build(config: Mapping[str, object]) -> EnvelopeNetwork:
    """Return the network of a checkpoint's config, with fresh weights."""
    return EnvelopeNetwork(EnvelopeConfig.from_mapping(config))
