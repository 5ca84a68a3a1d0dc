"""Where the band of a recording ends: its long-term spectrum, and a cliff in it."""

import logging

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import Chunk, empty_chunk

log = logging.getLogger(__name__)

_FFT_SIZE = 2048
_HOP = 1024
_QUIET_DB = -80.0
"""A band ends where the long-term power density stays below this, relative to its maximum."""

_SLOPES = ((0.07, 18.0), (0.15, 25.0), (0.25, 32.0))
"""A slope this wide (as a share of its frequency) that falls by so many dB, with nothing behind it,
is a filter's: natural spectra fall more gently. Measured on speech and music, 44.1 and 48 kHz."""

_FLAT_FALL_DB = 9.0
"""What the steepest of them need to fall if only a flat floor, a quantiser's, is behind."""

_FLAT_DB = 1.0
"""Standard deviation, over bins, of the long-term level of a flat floor."""

_HIGHEST_FLAT = 0.8
"""Of `top_hz`: above it a floor is too short to be told from a band that fades out."""

_SIDE_SHARE = 0.03
"""Width of the band below a slope that its level is taken from, as a share of its frequency."""

_LEAST_SIDE = 4
"""Bins that it has at least."""

_EDGE_DB = 6.0
"""A band ends where its level has fallen by this: the cutoff of most resamplers' filters."""

_FULL_SHARE = 0.92
"""Of the octave below a slope: so much must be about as loud as its upper end, or louder."""

_HIGHEST_SHARE = 0.9
"""Of `top_hz`: slopes above it are the rolloff of the recorder's own filter."""

_CLEAR_SHARE = 0.92
"""Of `top_hz`, where a resampler's own slope begins."""

_LOWEST_CLIFF_HZ = 2500.0
"""Below it a vowel that has little above its first formants looks like a filter's work."""

_SOFTENED_BINS = 5
_SILENCE = 1e-20


class BandwidthMeter:
    """Accumulates the long-term spectrum of one stream; says where its band ends.

    Memory does not grow with the stream. Cutting the stream differently changes nothing.
    """

    def __init__(self, rate: int, *, top_hz: float | None = None) -> None:
        """Measure a stream at `rate`.

        Args:
            rate: samples per second.
            top_hz: where the band ends in any case, if the stream was resampled: nothing above
                is looked at. None means half the rate.
        """
        self._top_hz = min(top_hz or rate / 2, rate / 2)
        self._bin_hz = rate / _FFT_SIZE
        self._window = np.hanning(_FFT_SIZE + 1)[:-1].astype(np.float32)
        self._power = np.zeros(_FFT_SIZE // 2 + 1)
        self._held: Chunk | None = None
        self._frames = 0

    def push(self, chunk: Chunk) -> None:
        """Take in samples `[channels, n]`; channels are added up in power."""
        held = chunk if self._held is None else np.concatenate([self._held, chunk], axis=1)
        count = max(0, (held.shape[1] - _FFT_SIZE) // _HOP + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(held, _FFT_SIZE, axis=1)
            for frame in frames[:, : count * _HOP : _HOP].swapaxes(0, 1):
                spectra = np.fft.rfft(frame * self._window)
                self._power += (np.abs(spectra) ** 2).sum(axis=0)
            self._frames += count
        self._held = held[:, count * _HOP :].copy()

    def bandwidth_hz(self) -> float:
        """Return the end of the band: a cliff if there is one, else the last level above -80 dB.

        With too little sound to tell it is all of `top_hz`.
        """
        cutoff = self.cutoff_hz()
        if cutoff is not None:
            return cutoff
        levels = self._levels()
        if levels is None:
            return self._top_hz
        loud = np.flatnonzero(levels > levels.max() + _QUIET_DB)
        reaches_end = loud[-1] == len(levels) - 1
        return self._top_hz if reaches_end else float((loud[-1] + 1) * self._bin_hz)

    def cutoff_hz(self) -> float | None:
        """Return the frequency of a steep cliff with nothing above it, None where there is none.

        A cliff is what low-pass filters, codecs and resamplers leave. Instruments and voices that
        fade out towards high frequencies have none.
        """
        levels = self._levels()
        if levels is None:
            return None
        # The loudest that comes at or above each bin: a cliff has nothing behind it.
        ceiling = np.maximum.accumulate(levels[::-1])[::-1]
        flat = self._flat_from(levels)
        lowest = max(_LEAST_SIDE, int(_LOWEST_CLIFF_HZ / self._bin_hz))
        edges = np.arange(int(len(levels) * _HIGHEST_SHARE), lowest, -1)
        sides = np.maximum(_LEAST_SIDE, (edges * _SIDE_SHARE).astype(int))
        sums = np.concatenate([[0.0], np.cumsum(levels)])
        below = (sums[edges] - sums[edges - sides]) / sides
        for share, fall_db in ((_SLOPES[0][0], _FLAT_FALL_DB), *_SLOPES):
            behind = edges + np.maximum(6, (edges * share).astype(int))
            falls = behind < len(levels)
            falls[falls] = below[falls] - ceiling[behind[falls]] >= fall_db
            if fall_db == _FLAT_FALL_DB:
                falls &= (flat <= behind) & (behind < _HIGHEST_FLAT * len(levels))
            for edge, level in zip(edges[falls], below[falls], strict=True):
                # A tone has steep sides too: a band that ends is full below its end.
                full = levels[edge // 2 : edge] > level - fall_db / 2
                if full.mean() >= _FULL_SHARE:
                    return self._upper_end(levels, int(edge))
        return None

    def _flat_from(self, levels: NDArray[np.float64]) -> int:
        """Return the first bin from which on the levels are those of a flat floor."""
        end = int(len(levels) * _HIGHEST_SHARE)
        counts = np.arange(1, end + 1)
        down = levels[:end][::-1] - levels[end - 1]
        deviations = np.sqrt(
            np.maximum(0, np.cumsum(down**2) / counts - (np.cumsum(down) / counts) ** 2)
        )
        return end - int(np.argmax(deviations > _FLAT_DB)) if (deviations > _FLAT_DB).any() else 0

    def _side(self, edge: int) -> int:
        return max(_LEAST_SIDE, int(edge * _SIDE_SHARE))

    def _upper_end(self, levels: NDArray[np.float64], edge: int) -> float:
        """Walk up a slope, towards low frequencies, to where the level is 6 dB below the band."""
        side = self._side(edge)
        while (
            edge > 2 * side
            and levels[edge] < levels[edge - 2 * side : edge - side].mean() - _EDGE_DB
        ):
            edge -= 1
        while levels[edge] >= levels[edge - 2 * side : edge - side].mean() - _EDGE_DB:
            edge += 1
        return float(edge * self._bin_hz)

    def _levels(self) -> NDArray[np.float64] | None:
        """Return the spectrum in dB up to `top_hz`, softened, or None before there is sound."""
        power = self._power
        if not self._frames:
            # Shorter than a frame: what there is, padded.
            held = empty_chunk(1) if self._held is None else self._held
            count = held.shape[1]
            frame = np.pad(held * np.hanning(count + 2)[1:-1], ((0, 0), (0, _FFT_SIZE - count)))
            power = (np.abs(np.fft.rfft(frame)) ** 2).sum(axis=0)
        if not power.any():
            return None
        resampled = self._top_hz < (len(power) - 1) * self._bin_hz
        top_hz = self._top_hz * (_CLEAR_SHARE if resampled else 1)
        last = min(len(power), int(top_hz / self._bin_hz) + 1)
        soft = np.convolve(power, np.ones(_SOFTENED_BINS) / _SOFTENED_BINS, mode="same")[:last]
        levels: NDArray[np.float64] = 10 * np.log10(soft / soft.max() + _SILENCE)
        return levels


class BandEdge:
    """Where the band of one stream ends: told, or found while the stream passes.

    Attributes:
        highest_hz: where it ends in any case.
    """

    def __init__(self, rate: int, highest_hz: float, told_hz: float | None) -> None:
        """Start a stream.

        Args:
            rate: samples per second.
            highest_hz: where the band ends in any case.
            told_hz: where it ends as the user says; None to find it.
        """
        self.highest_hz = highest_hz
        self._last_hz = told_hz or highest_hz
        self._meter = None if told_hz else BandwidthMeter(rate, top_hz=highest_hz)

    def push(self, chunk: Chunk) -> None:
        """Take in the next samples `[channels, n]`."""
        if self._meter:
            self._meter.push(chunk)

    def find(self) -> float:
        """Return where the band ends in Hz, as far as the stream has told."""
        if self._meter:
            found = min(self.highest_hz, self._meter.cutoff_hz() or self.highest_hz)
            if found != self._last_hz:
                log.info("band ends at %.0f Hz", found)
            self._last_hz = found
        return self._last_hz
