"""The gate: whether a voice is heard, or anything else.

It listens below 3.6 kHz only. There voices and instruments differ by how they move, and whatever
the input's rate and its microphone, the answer is the same.
"""

import torch
from torch import Tensor, nn

from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.layers import (
    STATISTICS,
    GatedLayer,
    features_of,
    laid_out,
    pointwise,
)
from audiofix.nn.state import StreamState


class Gate(nn.Module):
    """Says how probable a voice is, from the lowest bands of what was heard so far."""

    def __init__(self, config: EnvelopeConfig) -> None:
        """Make the gate with fresh weights, which say nothing."""
        super().__init__()
        self.bands, channels = config.gate_bands, config.gate_channels
        self.into = nn.Conv1d((STATISTICS + 1) * self.bands + 1, channels, 1)
        self.layers = nn.ModuleList(
            GatedLayer(channels, config.kernel_size, dilation) for dilation in config.gate_dilations
        )
        self.out = nn.Conv1d(channels, 1, 1)
        self.dropped = nn.Dropout(config.gate_dropout)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, statistics: Tensor, heard: Tensor, edge: Tensor, state: StreamState | None = None
    ) -> Tensor:
        """Return log odds of a voice, `[batch, frames]`; see `EnvelopeNetwork.forward`."""
        places = torch.arange(self.bands, device=edge.device)
        present = (places < edge[..., None]).to(statistics.dtype)
        features, _ = features_of(statistics[..., : self.bands], present)
        x = laid_out(torch.cat([features, heard[..., None]], dim=2), state)
        hidden = torch.relu(pointwise(self.into, self.dropped(x), state))
        for layer in self.layers:
            hidden = self.dropped(layer(hidden, state))
        return laid_out(pointwise(self.out, hidden, state), state)[..., 0]
