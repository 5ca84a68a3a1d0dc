"""Measures of filled gaps: everything that is measured lies inside them, or at their edges."""

from collections.abc import Mapping, Sequence

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.evaluation.comparison import (
    EXCERPT_SECONDS,
    REFERENCE,
    Comparison,
    Excerpt,
    Measuring,
    Result,
)
from audiofix.evaluation.damage import Spans, rms
from audiofix.metrics.ratios import RatioMeter
from audiofix.metrics.spectral import SpectralMeter

_SEAM_SECONDS = 0.001
"""On each side of an edge: where a click would be."""

_AROUND_SECONDS = 0.02
"""On each side of a gap: what the seams are compared with."""


class GapMeter:
    """Scores several fillings of one recording's gaps; does as `comparison.SideBySide` does."""

    def __init__(
        self,
        name: str,
        audio: AudioFormat,
        methods: Sequence[str],
        measuring: Measuring,
        gaps: Spans,
    ) -> None:
        """Start a comparison; see `comparison.SideBySide`. All is held in memory."""
        self._name, self._rate, self._measuring, self._gaps = name, audio.rate, measuring, gaps
        self._parts: dict[str, list[Chunk]] = {method: [] for method in (REFERENCE, *methods)}
        self.samples = 0

    def push(self, reference: Chunk, *estimates: Chunk) -> None:
        """Take in `[channels, n]` of each, any n."""
        for parts, chunk in zip(self._parts.values(), (reference, *estimates), strict=True):
            parts.append(chunk)
        self.samples += reference.shape[1]

    @property
    def seconds(self) -> float:
        """How long the reference is so far; never 0."""
        return max(1, self.samples) / self._rate

    def comparison(
        self,
        input_rate: int | None,
        measured: Mapping[str, Mapping[str, float]],
        damage: str = "",
    ) -> Comparison:
        """Return what was found, beside what was measured elsewhere: method -> metric -> value."""
        sounds = {method: np.concatenate(parts, 1) for method, parts in self._parts.items()}
        inside = sum(end - start for start, end in self._gaps)
        results = []
        for method, made in sounds.items():
            if method == REFERENCE:
                continue
            scores = {**self._scores(made, sounds[REFERENCE]), **measured.get(method, {})}
            known = {m: scores.get(m, float("nan")) for m in self._measuring.metrics}
            about = (self._name, input_rate, method, self._rate, inside, known, damage)
            results.append(Result(*about))
        if not self._measuring.excerpt:
            return Comparison(tuple(results), None)
        wanted = round(EXCERPT_SECONDS * self._rate)
        heard = {method: as_chunk(sound[:, :wanted]) for method, sound in sounds.items()}
        excerpt = Excerpt(self._name, input_rate, self._rate, heard, damage)
        return Comparison(tuple(results), excerpt)

    def _scores(self, made: Chunk, clean: Chunk) -> dict[str, float]:
        ratios = RatioMeter(len(clean))
        distances, levels, seams = [], [], []
        for start, end in self._gaps:
            pair = made[:, start:end], clean[:, start:end]
            ratios.push(*pair)
            spectral = SpectralMeter(self._measuring.definition, self._rate, len(clean))
            spectral.push(*pair)
            distances.append(spectral.values()["lsd"])
            levels.append(abs(_decibel(rms(pair[0]) / rms(pair[1]))))
            seams.append(abs(_seam(made, start, end, self._rate)))
        means = {"lsd": distances, "level": levels, "seam": seams}
        return {**ratios.values(), **{metric: float(np.mean(x)) for metric, x in means.items()}}


def _seam(made: Chunk, start: int, end: int, rate: int) -> float:
    """Return the second difference at a gap's edges against that of its surroundings, in dB."""
    bend = np.diff(made.astype(np.float64), 2, axis=1)
    near, far = max(4, round(_SEAM_SECONDS * rate)), round(_AROUND_SECONDS * rate)
    edges = [bend[:, max(0, edge - near) : edge + near] for edge in (start, end)]
    sides = [bend[:, max(0, start - far) : start - near], bend[:, end + near : end + far]]
    seam, around = (np.concatenate(parts, axis=1) for parts in (edges, sides))
    return _decibel(rms(seam) / max(rms(around), 1e-9))


def _decibel(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-6)))
