"""File inference as published: plain averaging of overlapping windows.

Kept for parity with the authors' figures; `restore` does it better. Its windows do not reach the
end of what they are laid over: the last samples come out as silence (specification, section 7).
"""

import torch
from torch import Tensor


def unfold(x: Tensor, segment: int, overlap: int) -> Tensor:
    """Return windows `[batch, channels, windows, segment]` of `[batch, channels, samples]`."""
    return x.unfold(-1, segment, segment - overlap)


def overlap_average(windows: Tensor, samples: int, overlap: int) -> Tensor:
    """Add windows up and divide by how many cover a sample; uncovered samples become 0.

    Args:
        windows: `[batch, channels, windows, segment]`.
        samples: length of the result.
        overlap: samples that neighbouring windows share.

    Returns:
        `[batch, channels, samples]`.
    """
    batch, channels, count, segment = windows.shape
    total = windows.new_zeros(batch, channels, samples)
    cover = windows.new_zeros(samples)
    for index in range(count):
        start = index * (segment - overlap)
        total[..., start : start + segment] += windows[:, :, index]
        cover[start : start + segment] += 1
    return total / torch.clamp(cover, min=1)


def first_missing_bin(low_rate: int, rate: int, fft_size: int) -> int:
    """Return `hf`, the first bin above the band of material from `low_rate` (published rule)."""
    return int((1 + fft_size // 2) * low_rate / rate)
