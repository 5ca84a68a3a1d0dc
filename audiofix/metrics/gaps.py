"""Measures of filled gaps: everything that is measured lies inside them, or at their edges."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.metrics.ratios import RatioMeter
from audiofix.metrics.spectral import Definition, SpectralMeter

_SEAM_SECONDS = 0.001
"""On each side of an edge: where a click would be."""

_AROUND_SECONDS = 0.02
"""On each side of a gap: what the seams are compared with."""

Spans = tuple[tuple[int, int], ...]
"""First and one behind the last sample of each gap, in order."""


class GapMeter:
    """Measures one filling of a recording's gaps; holds the recording in memory."""

    def __init__(self, gaps: Spans, audio: AudioFormat, definition: Definition) -> None:
        """Start with nothing.

        Args:
            gaps: at least one.
            audio: format of the recording.
            definition: of the log-spectral distance.
        """
        self._gaps, self._audio, self._definition = gaps, audio, definition
        self._parts: tuple[list[Chunk], list[Chunk]] = [], []

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        for parts, chunk in zip(self._parts, (estimate, reference), strict=True):
            parts.append(chunk)

    def values(self) -> Mapping[str, float]:
        """Return `snr` and `si-sdr` over all gaps, and means over them of `lsd`, `level`, `seam`.

        `level` and `seam` are sizes of errors in dB: of the RMS, and of the second difference at
        the edges against that of the surroundings.
        """
        made, clean = (np.concatenate(parts, axis=1) for parts in self._parts)
        ratios = RatioMeter(self._audio.channels)
        distances, levels, seams = [], [], []
        for start, end in self._gaps:
            pair = made[:, start:end], clean[:, start:end]
            ratios.push(*pair)
            spectral = SpectralMeter(self._definition, self._audio.rate, self._audio.channels)
            spectral.push(*pair)
            distances.append(spectral.values()["lsd"])
            levels.append(abs(_decibel(rms(pair[0]) / rms(pair[1]))))
            seams.append(abs(_seam(made, start, end, self._audio.rate)))
        means = {"lsd": distances, "level": levels, "seam": seams}
        return {**ratios.values(), **{metric: float(np.mean(x)) for metric, x in means.items()}}


def rms(x: NDArray[np.floating]) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.asarray(x, np.float64) ** 2)))


def _seam(made: Chunk, start: int, end: int, rate: int) -> float:
    bend = np.diff(made.astype(np.float64), 2, axis=1)
    near, far = max(4, round(_SEAM_SECONDS * rate)), round(_AROUND_SECONDS * rate)
    edges = [bend[:, max(0, edge - near) : edge + near] for edge in (start, end)]
    sides = [bend[:, max(0, start - far) : start - near], bend[:, end + near : end + far]]
    seam, around = (np.concatenate(parts, axis=1) for parts in (edges, sides))
    return _decibel(rms(seam) / max(rms(around), 1e-9))


def _decibel(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-6)))
