"""What can be said of the missing bands without having learned: sounds and floors go on falling."""

import math

import torch
from torch import Tensor

_LN10 = math.log(10)

_NEAR_SHARE = 0.84
"""Of the edge: from here on bands tell at which level the missing ones begin."""

_NOW = 0.9
"""How much the level of the frame itself tells; the rest is the running mean's."""

_SOUND = (-0.22, -0.85)
_FLOOR = (-0.38, -0.35)
"""log10 power at the edge, relative to the bands near it, and per octave. These six numbers are the
best of a random search on the training recordings; slopes measured in each frame served worse."""


def extrapolated(statistics: Tensor, edge: Tensor) -> Tensor:
    """Return log10 power per band as far as it follows from the bands below the edge.

    Args:
        statistics: `[batch, frames, 5, bands]`; see `EnvelopeNetwork.forward`.
        edge: the first missing band, `[batch, frames]`, at least 1.

    Returns:
        `[batch, frames, bands]`; of no use below the edge.
    """
    places = torch.arange(statistics.shape[-1], device=edge.device)
    first = torch.minimum((_NEAR_SHARE * edge).long(), edge - 1)[..., None]
    near = ((places >= first) & (places < edge[..., None])).to(statistics.dtype)
    means = (statistics[:, :, :3] * near[:, :, None]).sum(-1) / near.sum(-1, keepdim=True)
    middle = (first[..., 0] + edge) / 2
    octaves = torch.log2((places + 0.5) / middle[..., None]).clamp(min=0)
    level = _NOW * means[..., 0] + (1 - _NOW) * means[..., 2]
    sound = level[..., None] + _SOUND[0] + _SOUND[1] * octaves
    floor = means[..., 1:2] + _FLOOR[0] + _FLOOR[1] * octaves
    result: Tensor = torch.logaddexp(sound * _LN10, floor * _LN10) / _LN10
    return result
