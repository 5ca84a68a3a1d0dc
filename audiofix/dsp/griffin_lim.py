"""Sound of magnitudes alone (Griffin and Lim, 1984).

With the momentum of Perraudin, Balazs and Sondergaard (2013).
"""

import torch
from torch import Tensor

_MOMENTUM = 0.99
_SMALL = 1e-16


def griffin_lim(magnitudes: Tensor, hop: int, *, iterations: int = 32) -> Tensor:
    """Return sound whose spectra have about these magnitudes.

    It starts from phases that advance at each bin's own frequency, so that it draws nothing.

    Args:
        magnitudes: `[batch, bins, frames]`; frames are centred at multiples of `hop`.
        hop: samples between frames.
        iterations: more are closer.

    Returns:
        `[batch, (frames - 1) * hop]`.
    """
    _, bins, frames = magnitudes.shape
    size = 2 * (bins - 1)
    window = torch.hann_window(size, dtype=magnitudes.dtype, device=magnitudes.device)
    turns = torch.arange(bins)[:, None] * torch.arange(frames) * hop % size / size
    angles = (2 * torch.pi * turns).to(magnitudes)
    phases = torch.polar(torch.ones_like(angles), angles).expand_as(magnitudes)
    before = torch.zeros_like(phases)
    for _ in range(iterations):
        sound = torch.istft(magnitudes * phases, size, hop, size, window)
        found = torch.stft(sound, size, hop, size, window, return_complex=True)
        ahead = found + _MOMENTUM / (1 + _MOMENTUM) * (found - before)
        phases, before = ahead / ahead.abs().clamp(min=_SMALL), found
    return torch.istft(magnitudes * phases, size, hop, size, window)
