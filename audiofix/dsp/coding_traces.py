"""Whether sound was once an MP3: a steep end of its band where LAME puts it, and holes below it.

At low bit rates an MP3 leaves whole bands of a frame out. After decoding, such a hole lies more
than 45 dB below what the band usually has; a recording that was only resampled has hardly any.
"""

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import Chunk, empty_chunk

_FFT_SIZE = 1024
_HOP = 512
_BANDS = 64
_FLOOR_DB = -160
_HOLE_DB = 45
_LOUD_POWER = 3e-6
"""Mean square of a frame that is looked at: silence is no hole."""

_HOLE_SHARE = 0.01
"""Measured on music and speech: 0.011 to 0.1 after MP3 from 32 to 192 kbit/s (0.001 for speech at
96 and more), at most 0.004 after resampling and 0.003 after AAC."""

_LOWEST, _HIGHEST = 0.55, 0.93
"""Where holes are looked for, as shares of the band's end."""

_LAME_CUTOFFS_HZ = {32: 5540, 48: 7630, 64: 10960, 96: 15200, 128: 16550, 160: 17300, 192: 18670}
"""Bit rate in kbit/s, stereo -> where the band of LAME's MP3s ends, as `rolloff` finds it."""

_TOLERANCE = 0.03


class HoleMeter:
    """Accumulates how loud each band of a stream is, frame by frame, in bounded memory."""

    def __init__(self, rate: int) -> None:
        """Measure a stream at `rate` samples per second."""
        self._band_hz = rate / 2 / _BANDS
        self._window = np.hanning(_FFT_SIZE + 1)[:-1].astype(np.float32)
        self._counts = np.zeros((_BANDS, -_FLOOR_DB), np.int64)
        self._held: Chunk | None = None

    def push(self, chunk: Chunk) -> None:
        """Take in samples `[channels, n]`; each channel counts by itself."""
        held = empty_chunk(len(chunk)) if self._held is None else self._held
        held = np.concatenate([held, chunk], axis=1)
        count = max(0, (held.shape[1] - _FFT_SIZE) // _HOP + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(held, _FFT_SIZE, axis=1)
            for frame in frames[:, : count * _HOP : _HOP].swapaxes(0, 1):
                self._count(frame[(frame**2).mean(axis=1) > _LOUD_POWER])
        self._held = held[:, count * _HOP :].copy()

    def _count(self, frames: NDArray[np.float32]) -> None:
        power = np.abs(np.fft.rfft(frames * self._window)[:, :-1] / _FFT_SIZE) ** 2
        bands = power.reshape(len(frames), _BANDS, _FFT_SIZE // 2 // _BANDS).mean(axis=2)
        levels = (10 * np.log10(bands + 1e-30)).clip(_FLOOR_DB, -1).astype(int)
        for row in levels:
            self._counts[np.arange(_BANDS), -1 - row] += 1

    def share(self, band_end_hz: float) -> float:
        """Return the part of the upper band's pieces that are holes, 0 without loud sound."""
        first = int(_LOWEST * band_end_hz / self._band_hz)
        last = int(_HIGHEST * band_end_hz / self._band_hz)
        counts = self._counts[first : max(last, first + 1)]
        total = counts.sum(axis=1, keepdims=True)
        if not total.any():
            return 0.0
        # Index 0 is -1 dB: the median's index, and everything 45 dB below it.
        medians = (counts.cumsum(axis=1) < total / 2).sum(axis=1)
        holes = sum(
            row[median + _HOLE_DB :].sum() for row, median in zip(counts, medians, strict=True)
        )
        return float(holes / total.sum())


def decoded_mp3_kbps(cutoff_hz: float | None, hole_share: float) -> int | None:
    """Return about which bit rate the MP3 had that sound looks decoded from; None for none.

    Args:
        cutoff_hz: the steep end of its band, from `rolloff.BandwidthMeter`.
        hole_share: from `HoleMeter.share`.
    """
    if cutoff_hz is None or hole_share < _HOLE_SHARE:
        return None
    nearest = min(_LAME_CUTOFFS_HZ, key=lambda kbps: abs(_LAME_CUTOFFS_HZ[kbps] - cutoff_hz))
    fits = abs(_LAME_CUTOFFS_HZ[nearest] - cutoff_hz) < _TOLERANCE * cutoff_hz
    return nearest if fits else None
