"""What is unknown in an image: rows above a cutoff, frames of a gap; and the noise put there."""

import torch
from torch import Tensor

from audiofix.backends.a2sb.config import BridgeConfig

FILL_STD = 0.5
"""Of the noise that stands where nothing is known, in all three channels."""


def first_masked_row(cutoff_hz: float, config: BridgeConfig) -> int:
    """Return the first row above a cutoff; `rows` where nothing is.

    Row r is bin r + 1, so the first bin generated is one above the cutoff's.
    """
    return min(int(config.n_fft * cutoff_hz / config.rate), config.rows)


def row_bounds(low_hz: float, high_hz: float, config: BridgeConfig) -> tuple[int, int]:
    """Return the rows between which a training cutoff is drawn, the upper one excluded."""
    low = int(config.n_fft * low_hz / config.rate)
    high = max(min(int(config.n_fft * high_hz / config.rate), config.rows), low + 1)
    return low, high


def drawn_gap(
    length_draw: float, place_draw: float | None, frames: int, shortest: float, longest: float
) -> tuple[int, int]:
    """Return the frames of a gap as training draws them, the last one excluded.

    Args:
        length_draw: 0 to 1, chooses the length.
        place_draw: 0 to 1, chooses the place; None centres the gap.
        frames: of the image.
        shortest: share of the frames.
        longest: share of the frames.
    """
    length = length_draw * (longest - shortest) + shortest
    start = 0.5 - length / 2 if place_draw is None else place_draw * (1 - length)
    return int(start * frames), int((start + length) * frames)


def filled(image: Tensor, mask: Tensor, noise: Tensor) -> Tensor:
    """Return `image` with noise of standard deviation 0.5 where `mask` is 1.

    Args:
        image: `[..., 3, rows, frames]`.
        mask: 0 or 1, of a shape that broadcasts.
        noise: of unit variance, of the image's shape.
    """
    return image * (1 - mask) + mask * FILL_STD * noise


def row_mask(row: int, like: Tensor) -> Tensor:
    """Return a mask of `like`'s shape that is 1 from a row upwards."""
    mask = torch.zeros_like(like)
    mask[..., row:, :] = 1
    return mask


def frame_mask(gaps: list[tuple[int, int]], like: Tensor) -> Tensor:
    """Return a mask of `like`'s shape that is 1 in the frames of each gap."""
    mask = torch.zeros_like(like)
    for start, end in gaps:
        mask[..., start:end] = 1
    return mask
