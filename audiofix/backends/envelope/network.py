"""The envelope network: an expert for voices, one for everything else, and a gate between them.

Jacobs, Jordan, Nowlan and Hinton, "Adaptive Mixtures of Local Experts" (1991), with known kinds:
each expert learns from its own recordings, and the gate from being told which are which. Levels in
log10 are mixed, so that an unsure gate gives what is expected of either.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.expert import Expert
from audiofix.backends.envelope.gate import Gate
from audiofix.nn.state import StreamState

_HEADROOM = 3.0
"""log10 power by which the new band may exceed the median level of the octave below it: a tone
alone there is in few bands and cannot call up a band of noise."""


class EnvelopeNetwork(nn.Module):
    """Predicts the levels of all bands from those below an edge."""

    def __init__(self, config: EnvelopeConfig) -> None:
        """Make the network with fresh weights."""
        super().__init__()
        self.config = config
        self.voice = Expert(config)
        self.music = Expert(config)
        self.gate = Gate(config)

    def forward(
        self, statistics: Tensor, heard: Tensor, edge: Tensor, state: StreamState | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return log10 power per band, `[batch, frames, bands]`, and how probable a voice is.

        The probability is `[batch, frames]`. Result frame k speaks of input frame
        `k - config.lookahead`.

        Args:
            statistics: `[batch, frames, 5, bands]`: level, running floor, mean, peak, peakedness.
            heard: how much of the statistics' time has passed, 0 to 1, `[batch, frames]`.
            edge: the first missing band, `[batch, frames]`, at least 1.
            state: the stream that is continued. A time-major one is faster; see `nn.conv`.
        """
        voice = self.voice(statistics, heard, edge, state)
        music = self.music(statistics, heard, edge, state)
        odds = self.gate(statistics, heard, edge, state)
        # Once per band: torch computes odd numbers of elements in another way than even vectors,
        # and the bits of a frame must not depend on how many come together.
        probability = torch.sigmoid(odds[..., None].repeat(1, 1, self.config.bands))
        return music + probability * (voice - music), probability[..., 0]


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
