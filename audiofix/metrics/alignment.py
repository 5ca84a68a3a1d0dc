"""How late an estimate is: models may delay sound, and measures of samples must not count that."""

import numpy as np

from audiofix.audio.format import Chunk

_BLOCK = 1 << 16


def delay(estimate: Chunk, reference: Chunk, most: int) -> int:
    """Return by how many samples the estimate is late, -`most` to `most`; 0 where one is silent.

    It is where the cross-correlation, summed over the channels, is highest.

    Args:
        estimate: `[channels, samples]`.
        reference: the same shape.
        most: where the search ends.
    """
    lags = np.zeros(2 * most + 1)
    around = np.pad(estimate, ((0, 0), (most, most)))
    size = 1 << (_BLOCK + 2 * most - 1).bit_length()
    for start in range(0, reference.shape[1], _BLOCK):
        block = np.fft.rfft(reference[:, start : start + _BLOCK], size)
        wider = np.fft.rfft(around[:, start : start + _BLOCK + 2 * most], size)
        lags += np.fft.irfft(wider * block.conj(), size)[:, : lags.size].sum(axis=0)
    return int(lags.argmax()) - most if lags.any() else 0


def advanced(samples: Chunk, by: int) -> Chunk:
    """Return `[channels, samples]` earlier by so many samples, later if negative; same length.

    What moves in from beyond the end is silence.
    """
    count = samples.shape[1]
    moved = samples[:, max(0, by) : max(0, count + min(0, by))]
    before = min(count, max(0, -by))
    return np.pad(moved, ((0, 0), (before, count - before - moved.shape[1])))
