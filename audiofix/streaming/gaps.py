"""Gaps of a stream, and the stage that fills them and leaves every other sample as it was."""

import logging
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError, UsageError
from audiofix.streaming.stage import ProportionalLength

log = logging.getLogger(__name__)

LONGEST_SECONDS = 10.0
"""Of a gap: nothing that could be made for a longer one would have to do with its sides."""

ASKED = "asked for"

Sound = NDArray[Any]
"""`[channels, samples]`, float32 or float64; the stage returns what it gets."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Missing samples.

    Attributes:
        start: its first sample.
        end: the first sample behind it.
        channels: rows that it is in.
        what: why it was taken for one: `asked for`, `silence`, `held`, `not finite`, `click`.
    """

    start: int
    end: int
    channels: tuple[int, ...]
    what: str = ASKED

    def meets(self, other: "Gap") -> bool:
        """Tell whether both are in some channel."""
        return not set(self.channels).isdisjoint(other.channels)


class GapSource(Protocol):
    """Tells of a stream's gaps while it passes."""

    clear: int
    """No gap that is not told yet begins before this sample."""
    latency: int
    """Samples that it looks ahead: at most so many behind the newest one is `clear`."""

    def push(self, chunk: Sound) -> list[Gap]:
        """Accept samples and return gaps that are now certain, in order of their start."""
        ...

    def flush(self) -> list[Gap]:
        """End the stream and return the remaining gaps."""
        ...


class KnownGaps:
    """Gaps that somebody named."""

    clear = sys.maxsize

    def __init__(self, spans: Sequence[tuple[float, float]], source: AudioFormat) -> None:
        """Take the spans in seconds; those that touch become one.

        Raises:
            UsageError: a span ends before it begins, begins before 0, or is too long.
        """
        merged: list[list[int]] = []
        for start, end in sorted(spans):
            if not 0 <= start < end:
                raise UsageError(f"gap {start:g}-{end:g}: must begin at 0 or later, then end")
            if end - start > LONGEST_SECONDS:
                raise UsageError(
                    f"gap {start:g}-{end:g}: longer than {LONGEST_SECONDS:g} s: nothing can be "
                    "told of what was there: leave it out"
                )
            first, last = round(start * source.rate), round(end * source.rate)
            if merged and first <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], last)
            elif last > first:
                merged.append([first, last])
        everywhere = tuple(range(source.channels))
        self._gaps = [Gap(first, last, everywhere) for first, last in merged]
        self.longest = max((last - first for first, last in merged), default=0)
        self.latency = 0

    def push(self, chunk: Sound) -> list[Gap]:
        """Return all gaps at the first call."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def flush(self) -> list[Gap]:
        """Return all gaps where nothing was pushed."""
        return self.push(np.empty((0, 0)))


Fill = Callable[[NDArray[np.float64], Gap, NDArray[np.float64]], NDArray[np.float64]]
"""Gives the samples `[gap's channels, end - start]` between what comes before and behind a gap, in
its channels. Each side has `context` samples, fewer at another gap or at an end of the stream."""


class FillGaps(ProportionalLength):
    """Fill the gaps of a stream. All other samples pass unchanged, whatever their type."""

    def __init__(
        self, source: AudioFormat, gaps: GapSource, fill: Fill, *, context: int, longest: int
    ) -> None:
        """Make the stage.

        Args:
            source: of the stream.
            gaps: where it has gaps.
            fill: what fills them.
            context: samples on each side that `fill` sees.
            longest: samples of the longest gap that may come.
        """
        self.source = source
        self.result = source
        self.latency = gaps.latency + longest + context
        self._gaps = gaps
        self._fill = fill
        self._context = context
        self._pending: list[Gap] = []
        self._held: Sound = np.empty((source.channels, 0), np.float32)
        self._base = 0
        """Stream position of the first held sample."""
        self._sent = 0
        self._ended = False
        self._found: Counter[str] = Counter()
        """Gaps that were found rather than named, by what they were."""

    def push(self, chunk: Sound) -> Sound:
        """Accept samples; return those before the next gap that cannot be filled yet."""
        self._held = np.concatenate([self._held.astype(chunk.dtype, copy=False), chunk], axis=1)
        self._pending += self._gaps.push(chunk)
        return self._released()

    def flush(self) -> Sound:
        """Fill the last gaps with what there is, and return the rest."""
        self._ended = True
        self._pending += self._gaps.flush()
        for gap in self._pending:
            if gap.start >= self._end:
                log.warning("gap at %.3f s: behind the end: left out", gap.start / self.source.rate)
        self._pending = [gap for gap in self._pending if gap.start < self._end]
        rest = self._released()
        if self._found:
            kinds = ", ".join(f"{count} {what}" for what, count in sorted(self._found.items()))
            log.warning("%d gaps found and filled: %s", self._found.total(), kinds)
        return rest

    @property
    def _end(self) -> int:
        return self._base + int(self._held.shape[1])

    def _released(self) -> Sound:
        while self._pending and self._is_ready(self._pending[0]):
            self._mend(self._pending.pop(0))
        final = self._end if self._ended else min(self._end, self._gaps.clear)
        if self._pending:
            final = min(final, self._pending[0].start)
        final = max(final, self._sent)
        ready = self._piece(self._sent, final).copy()
        self._refuse_not_finite(ready, self._sent)
        self._sent = final
        keep = max(self._base, min(final, self._end) - self._context)
        self._held = self._held[:, keep - self._base :].copy()
        self._base = keep
        return ready

    def _is_ready(self, gap: Gap) -> bool:
        """Tell whether everything on the gap's right side is there, other gaps included."""
        reach = gap.end + self._context
        return self._ended or (self._end >= reach and self._gaps.clear >= reach)

    def _mend(self, gap: Gap) -> None:
        end = min(gap.end, self._end)
        reach = min([self._end, end + self._context, *self._starts_behind(gap)])
        rows = list(gap.channels)
        left = self._piece(max(self._base, gap.start - self._context), gap.start)[rows]
        right = self._piece(end, max(end, reach))[rows]
        self._refuse_not_finite(left, gap.start - left.shape[1])
        self._refuse_not_finite(right, end)
        whole = Gap(gap.start, end, gap.channels, gap.what)
        made = self._fill(left.astype(np.float64), whole, right.astype(np.float64))
        self._held[rows, gap.start - self._base : end - self._base] = made
        if gap.what != ASKED:
            self._found[gap.what] += 1
        rate = self.source.rate
        log.info("%.4f to %.4f s: %s: filled", gap.start / rate, end / rate, gap.what)

    def _starts_behind(self, gap: Gap) -> list[int]:
        return [other.start for other in self._pending if other.meets(gap)]

    def _piece(self, start: int, end: int) -> Sound:
        return self._held[:, start - self._base : end - self._base]

    def _refuse_not_finite(self, samples: Sound, start: int) -> None:
        finite = np.isfinite(samples).all(axis=0)
        if not finite.all():
            seconds = (start + int(np.argmin(finite))) / self.source.rate
            raise InputError(
                f"sample at {seconds:.6f} s: NaN or infinity outside the gaps: add it to --gaps, "
                "or use --gaps auto"
            )
