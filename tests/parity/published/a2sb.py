"""A2SB's gaps as the authors' program fills them with `fast_inpaint_mode`."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from audiofix.backends.a2sb.config import BridgeConfig
from audiofix.backends.a2sb.sampling import Canvas, Noise, Velocity, Walk, sample
from audiofix.backends.a2sb.windows import pad_frames


def gap_frames(start: float, end: float, config: BridgeConfig) -> tuple[int, int]:
    """Return the frames of a gap in seconds, the last one excluded, as the authors round."""
    return int(config.rate / config.hop * start), int(config.rate / config.hop * end)


def zero_run_middles(known: NDArray[np.float32]) -> list[int]:
    """Return the middle, rounded down, of each run of zeros in `[frames]`.

    >>> zero_run_middles(np.array([1, 0, 0, 1, 0], np.float32))
    [1, 4]
    """
    unknown = np.concatenate([[0], (known == 0).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(unknown))
    first, last = edges[::2], edges[1::2] - 1
    return [int(middle) for middle in (first + last) // 2]


def sample_gaps(
    walk: Walk,
    damaged: Tensor,
    mask: Tensor,
    velocity: Velocity,
    config: BridgeConfig,
    noise: Noise,
) -> Tensor:
    """Return the image with its gaps filled as in `fast_inpaint_mode`: a window at each, in order.

    Args:
        walk: the sampler.
        damaged: `[1, 3, rows, frames]`.
        mask: of the same shape; whole frames.
        velocity: of single windows.
        config: the windows.
        noise: draws of one window.
    """
    frames, width = damaged.shape[-1], config.window_frames
    image = pad_frames(damaged, width, config.window_hop)
    whole_mask = pad(mask, (0, image.shape[-1] - frames))
    for middle in zero_run_middles((1 - whole_mask[0, 0, 0]).cpu().numpy()):
        start = min(max(0, middle - width // 2), image.shape[-1] - width)
        window = slice(start, start + width)
        canvas = Canvas(image[..., window], image[..., window], whole_mask[..., window])
        image[..., window] = sample(walk, canvas, velocity, noise)[-1]
    return image[..., :frames]
