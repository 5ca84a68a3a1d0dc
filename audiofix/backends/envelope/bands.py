"""Short-time spectra at any rate, and the level of their bands of a few hundred hertz.

Frames last 43 ms and come every 10 ms whatever the rate, so that one network serves all rates. The
level of a band is the mean of its bins' log10 power, the geometric mean: log-spectral distances
hear that one, and a partial that stands alone in a band hardly raises it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft

from audiofix.dsp.smoothing import smoothed

Floats = NDArray[np.float32]

FRAMES_PER_SECOND = 100
_WINDOW_SECONDS = 2048 / 48000

SILENCE = -11.0
"""Level of digital silence: the clamp of the standard log-spectral distance (1e-8 for 2048 points),
per sample of noise power."""

_EXPONENTS = (-1.0, 0.0, 1.0)
_SECONDS = 2.5
"""Time constant of the running statistics."""


@dataclass(frozen=True)
class FrameGrid:
    """Where the frames of a stream lie, and what their bins are.

    Attributes:
        size: samples of a window and of its transform, even.
        hop: samples between frames.
        window: periodic Hann.
        frequencies: of the bins, Hz.
    """

    size: int
    hop: int
    window: Floats
    frequencies: Floats

    def spectra(self, frames: Floats) -> NDArray[np.complex64]:
        """Return the spectra `[..., bins]` of frames `[..., size]`.

        Scaled so that the power of a bin is that of white noise per sample.
        """
        scale = np.float32(1 / np.sqrt(np.square(self.window).sum()))
        result: NDArray[np.complex64] = rfft(frames * (self.window * scale))
        return result


@lru_cache(maxsize=64)
def frame_grid(rate: int) -> FrameGrid:
    """Return the grid at `rate` samples per second."""
    hop = max(1, round(rate / FRAMES_PER_SECOND))
    half = next_fast_len(max(2 * hop, int(_WINDOW_SECONDS * rate / 2)), real=True)
    window = np.hanning(2 * half + 1)[:-1].astype(np.float32)
    frequencies = (np.arange(half + 1) * (rate / (2 * half))).astype(np.float32)
    return FrameGrid(2 * half, hop, window, frequencies)


def band_levels(
    spectra: NDArray[np.complex64], frequencies: Floats, bands: int, band_hz: float
) -> tuple[Floats, Floats]:
    """Return the level of each band, and how peaked it is.

    Args:
        spectra: `[frames, bins]`.
        frequencies: of the bins, Hz.
        bands: how many are wanted; those above the last bin have the level of silence.
        band_hz: width of a band, at least two bins.

    Returns:
        The mean of log10 power, and what the log10 of the mean power is above it (0.25 for noise,
        more for partials). Both `[frames, bands]`.
    """
    power = np.square(spectra.real) + np.square(spectra.imag) + np.float32(10**SILENCE)
    starts = np.searchsorted(frequencies, np.arange(bands + 1) * band_hz)
    inside = int(np.searchsorted(starts, len(frequencies) - 1, side="right")) - 1
    inside = min(bands, inside)
    counts = np.diff(starts[: inside + 1]).astype(np.float32)
    cut, marks = power[:, : starts[inside]], starts[:inside]
    level = np.full((len(power), bands), SILENCE, np.float32)
    peaked = np.zeros((len(power), bands), np.float32)
    level[:, :inside] = np.add.reduceat(np.log10(cut), marks, axis=1) / counts
    peaked[:, :inside] = np.log10(np.add.reduceat(cut, marks, axis=1) / counts) - level[:, :inside]
    return level, peaked


class RunningLevels:
    """Floor, mean and peak of each band's level over the last seconds of one stream.

    Power means with the exponents -1, 0 and 1, forgotten exponentially. Each is a linear recursion,
    so that cutting the stream differently changes no bit.
    """

    def __init__(self, bands: int) -> None:
        """Start a stream."""
        self._decay = float(np.exp(-1 / (_SECONDS * FRAMES_PER_SECOND)))
        self._sums = np.zeros((bands, len(_EXPONENTS)))
        self._weight = np.zeros(())

    def push(self, level: Floats) -> tuple[Floats, Floats]:
        """Return the statistics after each frame, and how much they rest on.

        Args:
            level: `[frames, bands]`.

        Returns:
            Floor, mean and peak `[frames, 3, bands]`; and `[frames]`, from near 0 to 1.
        """
        wide = level.astype(np.float64)
        raised = np.stack([wide if p == 0 else 10 ** (p * wide) for p in _EXPONENTS], axis=2)
        sums, self._sums = smoothed(raised, self._decay, self._sums)
        weights, self._weight = smoothed(np.ones(len(level)), self._decay, self._weight)
        means = sums / weights[:, None, None]
        parts = [
            means[..., i] if p == 0 else np.log10(means[..., i]) / p
            for i, p in enumerate(_EXPONENTS)
        ]
        return np.stack(parts, axis=1).astype(np.float32), weights.astype(np.float32)


def analysed(x: Floats, rate: int, bands: int, band_hz: float) -> tuple[Floats, Floats]:
    """Return what the network sees of a whole recording `[samples]`, as a stream would give it.

    Returns:
        `[frames, 5, bands]`, frames = samples // hop + 1; and how much of the running levels' time
        has passed, `[frames]`.
    """
    grid = frame_grid(rate)
    padded = np.pad(x, grid.size // 2 + 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded[1:], grid.size)[:: grid.hop]
    return statistics_of(grid.spectra(frames), grid, RunningLevels(bands), bands, band_hz)


def statistics_of(
    spectra: NDArray[np.complex64],
    grid: FrameGrid,
    running: RunningLevels,
    bands: int,
    band_hz: float,
) -> tuple[Floats, Floats]:
    """Return what the network sees of the next frames of a stream; see `analysed`."""
    level, peaked = band_levels(spectra, grid.frequencies, bands, band_hz)
    levels, heard = running.push(level)
    return np.concatenate([level[:, None], levels, peaked[:, None]], axis=1), heard
