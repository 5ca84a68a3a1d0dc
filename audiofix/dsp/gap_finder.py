"""Finds what is missing in a stream: silence with abrupt edges, held samples, NaN, clicks."""

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat
from audiofix.dsp.clicks import find_clicks
from audiofix.errors import InputError
from audiofix.streaming.gaps import LONGEST_SECONDS, Gap

_BLOCK_SECONDS = 0.2
_MARGIN_SECONDS = 0.05
_SHORTEST_SECONDS = 0.0015
"""Of equal samples: low notes have a few at their turning points."""

LONGEST_FOUND_SECONDS = 2.0
"""Of silence or held samples: what is longer is a pause."""

_EDGE_SECONDS, _BEFORE_EDGE_SECONDS = 0.003, 0.03
_QUIETEST_EDGE = 1e-3
"""RMS beside a gap: below it a sound has faded out, or there was none."""

_FADED_SHARE = 0.2
"""Of the RMS a little farther away, which the RMS at an abrupt edge still has."""

_STEPS = 20.0
"""Quantisation steps that the RMS at an edge is at least: fewer make runs of equal samples."""

_EXTREME_SHARE = 0.05
"""Of the range around: a held value nearer to its ends is a clipped peak, or a square wave."""


class GapFinder:
    """`streaming.gaps.GapSource` that listens. Memory is bounded; chunking changes nothing."""

    def __init__(self, source: AudioFormat) -> None:
        """Listen to a stream."""
        self._source = source
        self._block = max(256, round(_BLOCK_SECONDS * source.rate))
        self._margin = max(64, round(_MARGIN_SECONDS * source.rate))
        self._shortest = max(16, round(_SHORTEST_SECONDS * source.rate))
        self._longest = round(LONGEST_FOUND_SECONDS * source.rate)
        self.latency = self._block + 2 * self._margin + self._longest
        self.clear = 0
        self._held: NDArray[np.float64] = np.empty((source.channels, 0))
        self._base = 0
        self._ended = False
        self._behind = [0] * source.channels
        """Per channel the end of its last gap."""

    def push(self, chunk: NDArray[np.floating]) -> list[Gap]:
        """Accept samples `[channels, n]`, NaN and infinities among them."""
        self._held = np.concatenate([self._held, chunk.astype(np.float64)], axis=1)
        return self._worked()

    def flush(self) -> list[Gap]:
        """End the stream."""
        self._ended = True
        return self._worked()

    @property
    def _end(self) -> int:
        return self._base + int(self._held.shape[1])

    def _worked(self) -> list[Gap]:
        """Return the gaps of every block that is complete, with a margin behind."""
        found: list[Gap] = []
        while self.clear < self._end:
            stop = min(self.clear + self._block, self._end)
            if not self._ended and self._end < stop + self._margin:
                break
            runs = [self._runs(row, stop) for row in range(self._source.channels)]
            reach = max([end for _, end, _ in sum(runs, [])], default=stop)
            if not self._ended and self._end < reach + self._margin:
                break  # a run is still open
            for row in range(self._source.channels):
                found += self._gaps_of(row, stop, runs[row])
            self.clear = stop
            keep = max(self._base, stop - self._margin)
            self._held = self._held[:, keep - self._base :].copy()
            self._base = keep
        return _joined(found)

    def _runs(self, row: int, stop: int) -> list[tuple[int, int, str]]:
        """Return the runs that begin in the block, of samples that are equal or not finite."""
        x = self._held[row]
        finite = np.isfinite(x)
        equal = np.concatenate([[False], x[1:] == x[:-1]])
        runs = []
        for kind, marked in (("not finite", ~finite), ("held", equal)):
            edges = np.diff(np.concatenate([[0], marked.astype(np.int8), [0]]))
            starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
            if kind == "held":
                starts = starts - 1  # the first of equal samples is not marked
                long = ends - starts >= self._shortest
                starts, ends = starts[long], ends[long]
            for start, end in zip(starts + self._base, ends + self._base, strict=True):
                if self.clear <= start < stop:
                    runs.append((int(start), self._bounded(int(start), int(end), kind), kind))
        return sorted(runs)

    def _bounded(self, start: int, end: int, kind: str) -> int:
        """Return a run's end; for what is too long to be a gap, one that does not wait for it."""
        longest = self._longest
        if kind == "not finite":
            longest = round(LONGEST_SECONDS * self._source.rate)
            if end - start > longest:
                raise InputError(
                    f"NaN or infinity from {start / self._source.rate:.3f} s on, for more than "
                    f"{LONGEST_SECONDS:g} s: cut the recording there first"
                )
        return min(end, start + longest + 1)

    def _gaps_of(self, row: int, stop: int, runs: list[tuple[int, int, str]]) -> list[Gap]:
        gaps = []
        for start, end, kind in runs:
            if start < self._behind[row]:
                continue
            if kind == "held" and not self._is_dropout(row, start, end):
                continue
            what = kind
            if kind == "held" and self._held[row, start - self._base] == 0:
                what = "silence"
            gaps.append(Gap(start, end, (row,), what))
            self._behind[row] = end
        return sorted(gaps + self._clicks(row, stop, gaps))

    def _is_dropout(self, row: int, start: int, end: int) -> bool:
        """Tell a run of equal samples that cuts a sound off from a pause, a peak, and quiet."""
        if end - start > self._longest:
            return False
        x, rate = self._held[row], self._source.rate
        first, last = start - self._base, end - self._base
        before, behind = x[max(0, first - self._margin) : first], x[last : last + self._margin]
        near = np.concatenate([before, behind])
        if not before.size or not behind.size or not np.isfinite(near).all():
            return False
        value = x[first]
        span = _EXTREME_SHARE * (near.max() - near.min())
        if not near.min() + span < value < near.max() - span:
            return False
        steps = np.abs(np.diff(near))
        step = float(steps[steps > 0].min(initial=np.inf))
        quietest = max(_QUIETEST_EDGE, _STEPS * step)
        return all(_is_abrupt(side, rate, quietest) for side in (before[::-1], behind))

    def _clicks(self, row: int, stop: int, gaps: list[Gap]) -> list[Gap]:
        x = self._held[row]
        begin = max(self._base, self.clear - self._margin)
        piece = x[begin - self._base : stop + self._margin - self._base]
        if not np.isfinite(piece).all() or gaps or self._behind[row] > begin:
            return []  # the edges of a gap look like clicks
        return [
            Gap(begin + start, begin + end, (row,), "click")
            for start, end in find_clicks(piece, self._source.rate)
            if self.clear <= begin + start < stop
        ]


def _is_abrupt(side: NDArray[np.float64], rate: int, quietest: float) -> bool:
    """Tell whether a sound, its edge first, is as loud at its edge as a little farther away."""
    near = side[: max(8, round(_EDGE_SECONDS * rate))]
    far = side[: max(16, round(_BEFORE_EDGE_SECONDS * rate))]
    level, level_far = np.sqrt(np.mean(near**2)), np.sqrt(np.mean(far**2))
    return bool(level >= quietest and level >= _FADED_SHARE * level_far)


def _joined(gaps: list[Gap]) -> list[Gap]:
    """Return the gaps in order; those of one kind and time in several channels are one."""
    together: dict[tuple[int, int, str], list[int]] = {}
    for gap in gaps:
        together.setdefault((gap.start, gap.end, gap.what), []).extend(gap.channels)
    return sorted(
        Gap(start, end, tuple(sorted(rows)), what) for (start, end, what), rows in together.items()
    )
