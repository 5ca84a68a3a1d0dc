"""Whole-segment models on endless input: overlapping windows, discarded context, cross-fade."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.streaming.stage import ProportionalLength

Process = Callable[[Sequence[Chunk]], Sequence[Chunk]]
"""Some windows that follow each other, each `[channels, window]`; as many of the same shape out.

Called in stream order. How many windows come together depends on the chunks, so the result of one
must not depend on the others beside it.
"""

TOGETHER = 4
"""Windows at most that a process usually gets at once."""


class OverlapAdd(ProportionalLength):
    r"""Run a process on windows that tile the stream from its first sample.

    Window i starts at `i * hop`, hop = window - 2 context - fade. At an inner edge its outermost
    `context` samples, which the model computed without seeing their surroundings, are discarded;
    over the next `fade` samples it cross-fades with its neighbour by raised cosines::

        window i     |  keep                  \\fade/ context|
        window i+1                   |context /fade\\  keep            ...

    The stream's own two ends are kept; the last window is padded with zeros and cut to length.
    A process that depends on at most `context` samples to either side gives the result it would
    give on the whole stream.
    """

    def __init__(
        self,
        audio: AudioFormat,
        process: Process,
        *,
        window: int,
        context: int,
        fade: int,
        together: int = TOGETHER,
    ) -> None:
        """Make the stage.

        Args:
            audio: format of source and result.
            process: what happens to windows.
            window: samples of a window; more than twice `context + fade`.
            context: samples discarded at an inner edge.
            fade: samples of a cross-fade, at least 1.
            together: windows at most that `process` gets at once: memory does not grow with the
                chunks.
        """
        assert fade >= 1 and context >= 0 and window > 2 * (context + fade)
        self.source = audio
        self.result = audio
        self.latency = window
        self._process = process
        self._together = together
        self._context = context
        self._hop = window - 2 * context - fade
        self._ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
        self._held = np.zeros((audio.channels, window), np.float32)
        self._count = 0
        self._tail: Chunk | None = None
        """The last window's share of the cross-fade that is still open; None before the first."""

    def push(self, chunk: Chunk) -> Chunk:
        """Accept samples and return those of every window that is complete."""
        window = self._held.shape[1]
        finished = [chunk[:, :0].copy()]
        complete: list[Chunk] = []
        position = 0
        while position < chunk.shape[1]:
            taken = min(window - self._count, chunk.shape[1] - position)
            self._held[:, self._count : self._count + taken] = chunk[:, position : position + taken]
            self._count += taken
            position += taken
            if self._count == window:
                complete.append(self._held.copy())
                self._count = window - self._hop
                self._held[:, : self._count] = self._held[:, self._hop :].copy()
            if len(complete) == self._together:
                finished += self._finish(complete)
                complete = []
        return np.concatenate(finished + self._finish(complete), axis=1)

    def flush(self) -> Chunk:
        """Process the last window, which always exists unless the stream was empty."""
        if self._count == 0:
            return self._held[:, :0].copy()
        padded = self._held.copy()
        padded[:, self._count :] = 0
        (processed,) = self._process([padded])
        return self._emit(processed, self._count)

    def _finish(self, windows: list[Chunk]) -> list[Chunk]:
        """Return the samples that complete windows settle."""
        cut = self._held.shape[1] - self._context - self._ramp.size
        settled = []
        for processed in self._process(windows) if windows else ():
            settled.append(self._emit(processed, cut))
            self._tail = processed[:, cut : cut + self._ramp.size].copy()
        return settled

    def _emit(self, processed: Chunk, end: int) -> Chunk:
        """Return a window's samples up to `end`, joined to the tail of the one before it."""
        if self._tail is None:
            return processed[:, :end].copy()
        result: NDArray[np.float32] = processed[:, self._context : end].copy()
        fade = self._ramp.size
        # Written so that equal samples stay equal to the bit.
        result[:, :fade] = self._tail + (result[:, :fade] - self._tail) * self._ramp
        return result
