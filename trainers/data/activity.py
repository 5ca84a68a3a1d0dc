"""Where a recording sounds: the windows that Apollo's training takes its clips from.

Source activity detection of the authors' data preparation (JusperLee/Apollo-data-preprocess).
"""

import numpy as np
from numpy.typing import NDArray

_FRAME_SAMPLES = 441
_SILENT_POWER = 1e-3
_QUANTILE = 0.15
_ACTIVE_SHARE = 0.5


def active_windows(
    samples: NDArray[np.floating],
    rate: int,
    *,
    seconds: float = 6,
    frame: int = _FRAME_SAMPLES,
) -> list[int]:
    """Return the first samples of the windows in which more than half of the frames sound.

    A window starts every half window; as published, the last that would fit is never looked at.

    Args:
        samples: `[channels, samples]`.
        rate: samples per second.
        seconds: of a window.
        frame: samples of a frame of the detection.
    """
    threshold = power_threshold(samples, rate, frame)
    if threshold is None:
        return []
    shares = active_shares(samples, rate, threshold, seconds=seconds, frame=frame)
    step = round(seconds / 2 * rate)
    return [index * step for index, share in enumerate(shares) if share > _ACTIVE_SHARE]


def power_threshold(samples: NDArray[np.floating], rate: int, frame: int) -> float | None:
    """Return the power above which a frame sounds: the 15 % quantile of those that are not silent.

    None where all frames are silent.
    """
    power = _frame_powers(samples[:, : samples.shape[1] // rate * rate], frame)
    loud = power[power > _SILENT_POWER]
    return float(np.quantile(loud, _QUANTILE)) if loud.size else None


def active_shares(
    samples: NDArray[np.floating], rate: int, threshold: float, *, seconds: float, frame: int
) -> list[float]:
    """Return the share of sounding frames of each window, in order."""
    window, step = round(seconds * rate), round(seconds / 2 * rate)
    length = samples.shape[1] // rate * rate
    return [
        float((_frame_powers(samples[:, start : start + window], frame) > threshold).mean())
        for start in range(0, (length - window) // step * step, step)
    ]


def _frame_powers(samples: NDArray[np.floating], frame: int) -> NDArray[np.float64]:
    """Return the energy of each whole frame, all channels together."""
    count = samples.shape[1] // frame
    frames = samples[:, : count * frame].astype(np.float64).reshape(len(samples), count, frame)
    energy: NDArray[np.float64] = (frames**2).sum(axis=(0, 2))
    return energy
