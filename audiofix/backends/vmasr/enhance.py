"""One window through VM-ASR the way the product does it: add what is missing, keep what is there.

The published method hands the whole band to the network (`VMASR.forward`). Here the empty band may
first be filled with overtones of the band below it, and afterwards the band below the edge is
the input's own, with a short cross-fade. Training and inference call the same function.
"""

import torch
from torch import Tensor

from audiofix.backends.vmasr.network import VMASR, replace_low_band
from audiofix.backends.vmasr.overtones import add_overtones
from audiofix.dsp.stft import from_log_magnitude_and_phase, log_magnitude_and_phase

EDGE_FADE_BINS = 8
"""Bins of cross-fade below the edge, from the input's spectrum to the network's."""

_SETTLING_BINS = 8
"""Bins above the edge over which the network takes hold of the overtones' level, which begins where
the input's ends: no step there."""


def enhance_spectra(network: VMASR, source: Tensor, edge: Tensor, *, filled: bool) -> Tensor:
    """Return spectra whose bins from `edge` upwards are the network's.

    Args:
        network: any VM-ASR.
        source: complex `[batch, bins, frames]`, frames a multiple of `config.frame_multiple`.
        edge: `[batch]` integers, the first bin that the input does not have.
        filled: whether the network expects its empty band filled; see `overtones`.
    """
    if not filled:
        magnitude, phase = log_magnitude_and_phase(source[:, None], steady=True)
        magnitude, phase = network.enhance(magnitude, phase)
    else:
        begun, phase = add_overtones(source, edge, network.config)
        magnitude, phase = network.enhance(begun, phase)
        above = torch.arange(source.shape[1], device=source.device) - edge[:, None]
        share = (above / _SETTLING_BINS).clamp(0, 1)[:, None, :, None]
        magnitude = begun + share * (magnitude - begun)
    new = from_log_magnitude_and_phase(magnitude[:, 0].float(), phase[:, 0].float())
    return replace_low_band(new, source, edge, EDGE_FADE_BINS)
