"""Exponential smoothing along a stream."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def smoothed(
    x: NDArray[Any], decay: float, last: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `y[t] = (1 - decay) x[t] + decay y[t - 1]`, and what is the `last` of the next call.

    A loop, since frames are few: `scipy.signal.lfilter`, which gives the same bits, takes longer to
    import than an hour of frames takes here.

    Args:
        x: `[frames, ...]`.
        decay: share of what was that stays, 0 to 1.
        last: `y` of the frame before, `[...]`; zeros at the beginning.
    """
    y = x.astype(np.float64) * (1 - decay)
    for frame in range(len(y)):
        y[frame] += decay * last
        last = y[frame]
    return y, np.array(last)
