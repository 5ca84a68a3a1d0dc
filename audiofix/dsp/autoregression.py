"""Missing samples from their surroundings: autoregressive models of both sides of a gap.

Burg's method fits the models (Burg, "Maximum entropy spectral analysis", 1975). Short gaps are
filled where the prediction error is least (Janssen, Veldhuis and Vries, "Adaptive interpolation of
discrete-time signals that can be modeled as autoregressive processes", 1986). That error is least
for too quiet a sound, so longer gaps are extrapolated from both sides (Kauppinen and Roth, "Audio
signal extrapolation", 2002), with noise of the prediction error's level as excitation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.signal import fftconvolve, lfilter, lfiltic

Samples = NDArray[np.float64]

_SHORT_SECONDS = 0.025
"""Longest gap that is interpolated rather than extrapolated, where both measure alike."""

_ORDER_SECONDS = 0.0116
"""Coefficients of a model, as a time: 512 at 44.1 kHz."""

_CONTEXT_SECONDS = 0.093
"""Samples that a model is fitted to on each side: 4096 at 44.1 kHz."""

_QUIET_SECONDS, _LIVELY_SECONDS = 0.02, 0.08
"""Gaps between which the excitation rises from none to its highest."""

_SHORTEST_SIDE = 32
"""Samples between two gaps, fewer of which tell nothing but could bend everything."""

_LOUDEST = 1.5
"""Times the peak of both sides: what goes beyond has gone wrong."""

_HIGHEST_EXCITATION = 0.7
"""Of the prediction error's level; with less the sound thins out, with more it grows rough."""


def burg(segments: Sequence[Samples], order: int) -> tuple[Samples, float]:
    """Return the prediction error filter `[order + 1]`, first 1, and the error's variance.

    Args:
        segments: pieces of one signal, `[samples]` each.
        order: coefficients; fewer come out where the signal is predicted wholly or too short.
    """
    forward = [segment.astype(np.float64) for segment in segments]
    backward = [segment.copy() for segment in forward]
    error_filter = np.ones(1)
    count = max(1, sum(segment.size for segment in segments))
    variance = sum(float(segment @ segment) for segment in forward) / count
    floor = 1e-24 * variance * count
    for _ in range(order):
        forward = [f[1:] for f in forward]
        backward = [b[:-1] for b in backward]
        pairs = list(zip(forward, backward, strict=True))
        power = sum(float(f @ f + b @ b) for f, b in pairs)
        if power <= floor:
            break
        reflection = -2 * sum(float(f @ b) for f, b in pairs) / power
        forward = [f + reflection * b for f, b in pairs]
        backward = [b + reflection * f for f, b in pairs]
        padded = np.append(error_filter, 0)
        error_filter = padded + reflection * padded[::-1]
        variance *= 1 - reflection**2
    return error_filter, max(0.0, variance)


def interpolate(left: Samples, count: int, right: Samples, error_filter: Samples) -> Samples:
    """Return the `count` samples between two sides for which the prediction error is least.

    The normal equations of Janssen, Veldhuis and Vries: a banded Toeplitz matrix of the filter's
    autocorrelation.

    Args:
        left: the samples before; the last `order` of them count.
        count: missing samples.
        right: the samples behind.
        error_filter: `[order + 1]`, see `burg`.
    """
    order = error_filter.size - 1
    correlation = np.correlate(error_filter, error_filter, "full")[order:]
    before = left[max(0, left.size - order) :]
    known = np.concatenate([before, np.zeros(count), right[:order]])
    symmetric = np.concatenate([correlation[:0:-1], correlation])
    pull = fftconvolve(known, symmetric)[order + before.size :][:count]
    band = min(order, count - 1) + 1
    matrix = np.repeat(correlation[:band, None], count, axis=1)
    matrix[0] *= 1 + 1e-9  # keeps it positive definite where the signal is predicted wholly
    return np.asarray(solveh_banded(matrix, -pull, lower=True))


def extrapolate(
    context: Samples, count: int, error_filter: Samples, excitation: Samples
) -> Samples:
    """Return the `count` samples that follow a context, as the filter's inverse makes them.

    Args:
        context: at least as many samples as the filter's order.
        count: wanted samples.
        error_filter: see `burg`; Burg's filters are stable.
        excitation: `[count]`, zeros for the bare prediction.
    """
    order = error_filter.size - 1
    past = lfiltic([1.0], error_filter, context[::-1][:order])
    return np.asarray(lfilter([1.0], error_filter, excitation[:count], zi=past)[0])


@dataclass(frozen=True, slots=True)
class GapFiller:
    """Fills gaps of one rate.

    Attributes:
        rate: samples per second.
    """

    rate: int

    @property
    def context(self) -> int:
        """Samples on each side that a model is fitted to; more are not looked at."""
        return max(64, round(_CONTEXT_SECONDS * self.rate))

    def fill(
        self, left: Samples, count: int, right: Samples, random: np.random.Generator
    ) -> Samples:
        """Return the `count` samples between two sides; either may be short or empty.

        Args:
            left: the samples before the gap.
            count: missing samples.
            right: the samples behind it.
            random: draws the excitation.
        """
        left, right = left[max(0, left.size - self.context) :], right[: self.context]
        left, right = (side if side.size >= _SHORTEST_SIDE else side[:0] for side in (left, right))
        loudest = float(np.abs(np.concatenate([left, right])).max(initial=0.0))
        made = self._made(left, count, right, random) if loudest else np.zeros(count)
        return made.clip(-_LOUDEST * loudest, _LOUDEST * loudest)

    def _made(
        self, left: Samples, count: int, right: Samples, random: np.random.Generator
    ) -> Samples:
        if left.size and right.size and count <= _SHORT_SECONDS * self.rate:
            order = min(self._order(left.size + right.size), max(32, 3 * count + 2))
            error_filter, _ = burg([left, right], order)
            return interpolate(left, count, right, error_filter)
        prediction, noise = self._continued(left, count, random)
        prediction_back, noise_back = self._continued(right[::-1], count, random)
        if not right.size:
            return prediction + noise
        if not left.size:
            return (prediction_back + noise_back)[::-1]
        angle = (np.arange(count) + 0.5) / count * (np.pi / 2)
        rising, falling = np.sin(angle), np.cos(angle)
        # Predictions fade by weights that sum to one. The noises have nothing in common: they fade
        # by weights whose squares do.
        predicted = prediction * falling**2 + prediction_back[::-1] * rising**2
        return np.asarray(predicted + noise * falling + noise_back[::-1] * rising)

    def _continued(
        self, context: Samples, count: int, random: np.random.Generator
    ) -> tuple[Samples, Samples]:
        """Return what the past predicts, and what noise through the same filter adds to it."""
        noise = random.standard_normal(count)
        if not context.any():
            return np.zeros(count), np.zeros(count)
        error_filter, variance = burg([context], self._order(context.size))
        lively = (count / self.rate - _QUIET_SECONDS) / (_LIVELY_SECONDS - _QUIET_SECONDS)
        level = _HIGHEST_EXCITATION * min(1.0, max(0.0, lively)) * variance**0.5
        prediction = extrapolate(context, count, error_filter, np.zeros(count))
        return prediction, np.asarray(lfilter([1.0], error_filter, level * noise))

    def _order(self, samples: int) -> int:
        return max(1, min(round(_ORDER_SECONDS * self.rate), samples // 3))
