"""Overtones: fill the empty band with what a rectifier makes of the band that is there.

An old way to a high band (Makhoul and Berouti, ICASSP 1979), here the *input* of the network,
which then only has to shape what already has a fine structure. A rectifier continues a harmonic
series at its own spacing and keeps the rhythm of noise; as it acts on the wave, neighbouring frames
agree, and nothing repeats or breaks at the borders of copied bands. Before and after it the
spectrum is whitened, so that no formant below leaves its shadow above.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.dsp.stft import MAGNITUDE_FLOOR, log_magnitude_and_phase

_ENVELOPE_REACH = 12
"""Bins to either side over which the envelope is smoothed; 560 Hz at 48 kHz, several partials."""

_DEEPEST = 1e-6
"""What is weaker than this share of a frame's strongest bin is rounding, and is not raised."""

_LEVEL_BINS = 16
"""Bins below the edge whose level the overtones begin with."""

_DECLINE = 8.0
"""Octaves of magnitude by which they would fall from 0 Hz to Nyquist: 2 dB per kHz at 48 kHz. Of
the declines tried on our training data, by octaves and by hertz, it came nearest to the truth."""


def add_overtones(source: Tensor, edge: Tensor, config: VMASRConfig) -> tuple[Tensor, Tensor]:
    """Return log2-magnitude and phase of a spectrum whose band from `edge` upwards is filled.

    The new band begins at the level of the last bins below the edge and declines at one rate; where
    those are silent it is silent.

    Args:
        source: complex `[batch, bins, frames]`, empty from `edge` upwards.
        edge: `[batch]` integers, the first empty bin.
        config: the transform that made `source`.

    Returns:
        Two of `[batch, 1, bins, frames]`.
    """
    bins = torch.arange(source.shape[1], device=source.device)[None, :, None]
    edge = edge[:, None, None]
    magnitude, phase = log_magnitude_and_phase(source, steady=True)
    flat = _whitened(source, bins < edge)
    overtones = config.stft(config.stft.inverse(flat).abs())
    new_magnitude, new_phase = log_magnitude_and_phase(_whitened(overtones, bins >= 0), steady=True)
    near = (bins >= edge - _LEVEL_BINS) & (bins < edge.clamp(min=1))
    level = (magnitude * near).sum(1, keepdim=True) / near.sum(1, keepdim=True)
    fall = _DECLINE * (bins - edge) / (source.shape[1] - 1)
    magnitude = torch.where(bins < edge, magnitude, new_magnitude + level - fall)
    phase = torch.where(bins < edge, phase, new_phase)
    return magnitude[:, None], phase[:, None]


def _whitened(spectra: Tensor, band: Tensor) -> Tensor:
    """Divide each frame by its envelope, the geometric mean of the neighbouring bins in the band.

    Args:
        spectra: complex `[batch, bins, frames]`.
        band: whether a bin counts, `[batch, bins, 1]` or one item for all; the others become 0.
    """
    size = spectra.abs()
    floor = _DEEPEST * size.amax(dim=1, keepdim=True) + MAGNITUDE_FLOOR
    inside = band.to(size.dtype)
    envelope = _sum_of_neighbours(torch.log2(size + floor) * inside)
    envelope = envelope / _sum_of_neighbours(inside).clamp(min=1)
    return spectra * (torch.exp2(-envelope) * inside)


def _sum_of_neighbours(x: Tensor) -> Tensor:
    width = 2 * _ENVELOPE_REACH + 1
    means = avg_pool1d(x.transpose(1, 2), width, 1, padding=_ENVELOPE_REACH)
    return width * means.transpose(1, 2)
