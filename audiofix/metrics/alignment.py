"""How late an estimate is: models may delay sound, and measures of samples must not count that."""

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import Chunk

_BLOCK = 1 << 16

_SAME_WAVES = 0.5
"""Normalised correlation from which an estimate counts as the reference's own waves."""

_SMOOTHING_SHARE = 8
"""The envelope is smoothed over this part of the search: 2.5 of 20 ms, less than a pitch period."""

_COMPRESSION = 0.3
"""Loudness grows with about this power of the size, so that soft onsets count too."""


def delay(estimate: Chunk, reference: Chunk, most: int) -> int:
    """Return by how many samples the estimate is late, -`most` to `most`; 0 where one is silent.

    It is where the cross-correlation, summed over the channels, is highest. Codecs that choose
    their own phases have no waves in common with the reference: then it is the correlation of the
    envelopes, which is as exact as onsets are sharp.

    Args:
        estimate: `[channels, samples]`.
        reference: the same shape.
        most: where the search ends.
    """
    lags = _correlation(estimate, reference, most)
    size = np.linalg.norm(estimate) * np.linalg.norm(reference)
    if lags.max() < _SAME_WAVES * size:
        width = max(1, most // _SMOOTHING_SHARE)
        lags = _correlation(_envelope(estimate, width), _envelope(reference, width), most)
    return int(lags.argmax()) - most if lags.any() else 0


def _correlation(estimate: Chunk, reference: Chunk, most: int) -> NDArray[np.float64]:
    """Return the cross-correlation `[2 * most + 1]` at lags from -`most` on."""
    lags = np.zeros(2 * most + 1)
    around = np.pad(estimate, ((0, 0), (most, most)))
    size = 1 << (_BLOCK + 2 * most - 1).bit_length()
    for start in range(0, reference.shape[1], _BLOCK):
        block = np.fft.rfft(reference[:, start : start + _BLOCK], size)
        wider = np.fft.rfft(around[:, start : start + _BLOCK + 2 * most], size)
        lags += np.fft.irfft(wider * block.conj(), size)[:, : lags.size].sum(axis=0)
    return lags


def _envelope(samples: Chunk, width: int) -> Chunk:
    """Return the compressed size of the samples around each, less its mean."""
    sums = np.cumsum(np.pad(samples.astype(np.float64) ** 2, ((0, 0), (width, width))), axis=1)
    power = (sums[:, 2 * width :] - sums[:, : -2 * width]).clip(min=0) / (2 * width)
    loudness = power ** (_COMPRESSION / 2)
    return np.asarray(loudness - loudness.mean(axis=1, keepdims=True), np.float32)


def advanced(samples: Chunk, by: int) -> Chunk:
    """Return `[channels, samples]` earlier by so many samples, later if negative; same length.

    What moves in from beyond the end is silence.
    """
    count = samples.shape[1]
    moved = samples[:, max(0, by) : max(0, count + min(0, by))]
    before = min(count, max(0, -by))
    return np.pad(moved, ((0, 0), (before, count - before - moved.shape[1])))
