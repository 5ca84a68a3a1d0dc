"""Clicks: a few samples that neither the past nor the future explains."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from audiofix.dsp.autoregression import burg, interpolate

_ORDER = 24
_LONGEST_SECONDS = 0.0005
_ALONE_SECONDS = 0.004
"""Around a click, where nothing like it may be: it would be a sound with an attack."""

_OUTSTANDING = 20.0
"""Times the usual prediction error that a click's is."""

_SHARP_SAMPLES = 4
_BLUNT_OUTSTANDING = 120.0
"""The same for clicks of more samples than that: voices and drums make errors of that kind too."""

_ALONE_SHARE = 0.1
"""Of a click's prediction error that may be reached around it."""

_QUIETEST = 0.02
"""Of full scale: what a click leaves of itself that is worth mending."""


def find_clicks(x: NDArray[np.float64], rate: int) -> list[tuple[int, int]]:
    """Return first and one behind the last sample of every click, in order.

    A click that lasts from a to b spoils the forward prediction from a on and the backward
    prediction up to b; an attack spoils the forward one from its beginning on and the backward one
    up to the sample before.

    Args:
        x: `[samples]`, finite; a few tenths of a second of it.
        rate: samples per second.
    """
    if x.size < 8 * _ORDER or not x.any():
        return []
    error_filter, _ = burg([x], _ORDER)
    forward = np.abs(lfilter(error_filter, [1.0], x))
    backward = np.abs(lfilter(error_filter, [1.0], x[::-1]))[::-1]
    forward[:_ORDER] = backward[-_ORDER:] = 0  # they begin without a past
    usual = float(np.median(forward)) / 0.6745
    limit = max(_OUTSTANDING * usual, _QUIETEST)
    longest = max(12, round(_LONGEST_SECONDS * rate))
    places = np.flatnonzero(forward > limit)
    found: list[tuple[int, int]] = []
    while places.size:
        start = int(places[0])
        behind = start + longest + _ORDER
        spoiled = np.flatnonzero(backward[start : start + longest] > limit)
        places = places[places >= behind]
        if not spoiled.size:
            continue
        end = start + int(spoiled[-1]) + 1
        blunt = end - start > _SHARP_SAMPLES
        if blunt and forward[start:end].max() < _BLUNT_OUTSTANDING * usual:
            continue
        if _is_alone(forward, backward, start, end, rate) and _stands_out(x, start, end, limit):
            found.append((start, end))
    return found


def _is_alone(
    forward: NDArray[np.float64], backward: NDArray[np.float64], start: int, end: int, rate: int
) -> bool:
    """Tell whether the predictions are back to normal on both sides of a click."""
    around = round(_ALONE_SECONDS * rate)
    highest = _ALONE_SHARE * float(forward[start:end].max())
    before = forward[max(0, start - around) : start]
    behind = forward[end + _ORDER : end + _ORDER + around]
    back_before = backward[max(0, start - _ORDER - around) : max(0, start - _ORDER)]
    back_behind = backward[end : end + around]
    sides = (before, behind, back_before, back_behind)
    return all(side.size > 0 and float(side.max()) < highest for side in sides)


def _stands_out(x: NDArray[np.float64], start: int, end: int, limit: float) -> bool:
    """Tell whether the samples are far from what both sides would have there."""
    left, right = x[max(0, start - 1024) : start], x[end : end + 1024]
    error_filter, _ = burg([left, right], _ORDER)
    expected = interpolate(left, end - start, right, error_filter)
    return float(np.abs(x[start:end] - expected).max()) > limit
