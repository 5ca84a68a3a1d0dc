"""Full-band recordings made band-limited, the way VM-ASR's training does it."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

_RIPPLE_DB = 0.05
_STOP_BAND_DB = 20.0

FilterKind = Literal["cheby1", "bessel", "ellip"]
LOW_PASSES: tuple[tuple[FilterKind, int], ...] = (
    ("cheby1", 6), ("cheby1", 8), ("cheby1", 10), ("cheby1", 12),
    ("bessel", 6), ("bessel", 12), ("ellip", 6), ("ellip", 12),
)  # fmt: skip
"""Kind and order of the filters that the training can draw from."""


def change_rate(x: NDArray[Any], source_rate: int, result_rate: int) -> NDArray[Any]:
    """Return `x` at another rate by a polyphase filter (Kaiser window, beta 5)."""
    return np.asarray(signal.resample_poly(x, result_rate, source_rate, axis=-1))


def band_limited(x: NDArray[Any], rate: int, low_rate: int) -> NDArray[Any]:
    """Return `x` `[..., samples]` as it comes back from `low_rate`, the same length."""
    back = change_rate(change_rate(x, rate, low_rate), low_rate, rate)[..., : x.shape[-1]]
    missing = x.shape[-1] - back.shape[-1]
    return np.pad(back, [(0, 0)] * (x.ndim - 1) + [(0, missing)])


def low_passed(
    x: NDArray[Any], rate: int, cutoff_hz: float, kind: FilterKind, order: int
) -> NDArray[Any]:
    """Return `x` after a zero-phase filter: 0.05 dB ripple, 20 dB stop-band where it has one."""
    share = cutoff_hz / (rate / 2)
    if kind == "cheby1":
        sections = signal.cheby1(order, _RIPPLE_DB, share, output="sos")
    elif kind == "bessel":
        sections = signal.bessel(order, share, norm="mag", output="sos")
    else:
        sections = signal.ellip(order, _RIPPLE_DB, _STOP_BAND_DB, share, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, x, axis=-1))
