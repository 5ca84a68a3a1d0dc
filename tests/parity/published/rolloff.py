"""The frequency below which most of a spectrum lies, as A2SB's authors estimate a cutoff."""

import numpy as np
from numpy.typing import NDArray

_FFT_SIZE = 2048
_HOP = 512


def rolloff_frames(
    x: NDArray[np.float32], rate: int, *, share: float = 0.99
) -> NDArray[np.float64]:
    """Return per frame the lowest frequency in Hz at which the magnitudes below add up to `share`.

    Frames of 2048 samples (periodic Hann, hop 512) are centred, with zeros beyond the ends. A
    silent frame gives 0 Hz.

    Args:
        x: `[samples]`.
        rate: samples per second.
        share: of the sum of a frame's magnitudes, not powers.
    """
    padded = np.pad(x.astype(np.float64), _FFT_SIZE // 2)
    window = np.hanning(_FFT_SIZE + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SIZE)[::_HOP]
    sums = np.cumsum(np.abs(np.fft.rfft(frames * window, axis=1)), axis=1)
    bins = np.argmax(sums >= share * sums[:, -1:], axis=1)
    return np.asarray(bins * (rate / _FFT_SIZE))


def mean_rolloff_hz(x: NDArray[np.float32], rate: int, *, share: float = 0.99) -> int:
    """Return the mean over all frames in whole Hz, as the authors' program takes it."""
    return int(rolloff_frames(x, rate, share=share).mean())
