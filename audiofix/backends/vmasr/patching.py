"""Spectral patching: fill the empty band with shifted copies of the band that is there.

The starting point of spectral band replication (Dietz, Liljeryd, Kjörling and Kunz, AES 112, 2002),
here the *input* of the network, which then only has to shape what already has a fine structure.
The shift is a whole number of turns per hop, so a copied partial keeps the phase advance of its new
place and neighbouring frames stay consistent.
"""

from math import gcd

import torch
from torch import Tensor


def patch_step(fft_size: int, hop: int) -> int:
    """Return the smallest shift in bins whose phase advance over one hop is whole turns.

    >>> patch_step(1024, 240)
    64
    """
    return fft_size // gcd(fft_size, hop)


def patch_high_band(
    magnitude: Tensor, phase: Tensor, edge: Tensor, step: int
) -> tuple[Tensor, Tensor]:
    """Replace the bins from `edge` upwards by the nearest whole shifts of the bins below it.

    Args:
        magnitude: `[batch, 1, bins, frames]`, any scale.
        phase: the same shape, radians.
        edge: `[batch]`, first empty bin of each item. An item whose edge is below `step` has
            nothing to copy and stays as it is.
        step: shift in bins, see `patch_step`.

    Returns:
        Magnitude and phase, same shapes.
    """
    bins = torch.arange(magnitude.shape[2], device=magnitude.device)
    above = bins[None] - edge[:, None]
    shifts = torch.where(above >= 0, above // step + 1, 0) * step
    source = torch.where(edge[:, None] >= step, bins[None] - shifts, bins[None])
    index = source[:, None, :, None].expand_as(magnitude)
    return magnitude.gather(2, index), phase.gather(2, index)
