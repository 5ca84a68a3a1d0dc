"""One expert: from the levels of the bands that are there to those that are missing.

Causal gated convolutions over frames (van den Oord et al., WaveNet, 2016, section 2.3) with all
bands of a frame as channels. Levels are relative to the recording's own running level, so that
nothing depends on gain; the running floor tells where the recording's noise lies.
"""

import torch
from torch import Tensor, nn

from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.extrapolation import extrapolated
from audiofix.backends.envelope.layers import (
    STATISTICS,
    GatedLayer,
    features_of,
    laid_out,
    pointwise,
)
from audiofix.nn.state import StreamState

_USUAL_LEVEL, _LEVEL_SPREAD = -6.0, 2.0


class Expert(nn.Module):
    """Predicts the levels of all bands from those below an edge; untrained, it extrapolates."""

    def __init__(self, config: EnvelopeConfig) -> None:
        """Make the expert with fresh weights."""
        super().__init__()
        inputs = (STATISTICS + 1) * config.bands + 2
        self.into = nn.Conv1d(inputs, config.channels, 1)
        self.layers = nn.ModuleList(
            GatedLayer(config.channels, config.kernel_size, dilation)
            for dilation in config.dilations
        )
        self.out = nn.Conv1d(config.channels, config.bands, 1)
        self.straight = nn.Conv1d(inputs, config.bands, 1)
        for layer in (self.out, self.straight):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(
        self, statistics: Tensor, heard: Tensor, edge: Tensor, state: StreamState | None = None
    ) -> Tensor:
        """Return log10 power per band, `[batch, frames, bands]`; see `EnvelopeNetwork.forward`."""
        places = torch.arange(statistics.shape[-1], device=edge.device)
        present = (places < edge[..., None]).to(statistics.dtype)
        features, level = features_of(statistics, present)
        overall = (level - _USUAL_LEVEL) / _LEVEL_SPREAD
        x = laid_out(torch.cat([features, overall, heard[..., None]], dim=2), state)
        hidden = torch.relu(pointwise(self.into, x, state))
        for layer in self.layers:
            hidden = layer(hidden, state)
        change = pointwise(self.out, hidden, state) + pointwise(self.straight, x, state)
        return extrapolated(statistics, edge) + laid_out(change, state)
