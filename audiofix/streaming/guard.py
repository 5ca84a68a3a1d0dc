"""The checks that every stream needs, once, around whatever stage there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np

from audiofix.audio.format import Chunk, fault_in
from audiofix.errors import InputError, UsageError
from audiofix.streaming.stage import Stage


class Guard:
    """A stage that refuses wrong shapes, values that are not finite, and use after `flush`."""

    def __init__(self, stage: Stage, *, finite: bool = True) -> None:
        """Guard `stage`, which must be fresh.

        Args:
            stage: what is guarded.
            finite: whether to refuse NaN and infinity; a stage that mends them sees to it itself.
        """
        self._finite = finite
        self._stage = stage
        self.source = stage.source
        self.result = stage.result
        self.latency = stage.latency
        self._samples_in = 0
        self._flushed = False
        self._lock = Lock()

    def output_length(self, samples: int) -> int:
        """Return what the guarded stage promises."""
        return self._stage.output_length(samples)

    def push(self, chunk: Chunk) -> Chunk:
        """Check, then push.

        Raises:
            InputError: the chunk has another shape or type, or holds values that are no sound; the
                time is named.
            UsageError: the stream was flushed before, or another thread is in it.
        """
        self._refuse_flushed()
        if not isinstance(chunk, np.ndarray) or chunk.dtype.kind not in "fiu":
            kind = getattr(chunk, "dtype", type(chunk).__name__)
            raise InputError(f"chunk of {kind}: must be a numpy array of float32: convert it")
        if chunk.ndim != 2 or chunk.shape[0] != self.source.channels:
            raise InputError(
                f"chunk of shape {chunk.shape}: must be [{self.source.channels}, samples]: reshape"
            )
        chunk = np.ascontiguousarray(chunk, np.float32)
        if fault := fault_in(chunk, finite=self._finite):
            seconds = (self._samples_in + fault[0]) / self.source.rate
            raise InputError(f"sample at {seconds:.6f} s: {fault[1]}: repair the recording first")
        with self._alone():
            self._samples_in += chunk.shape[1]
            return self._stage.push(chunk)

    def flush(self) -> Chunk:
        """Flush, once.

        Raises:
            UsageError: the stream was flushed before.
        """
        self._refuse_flushed()
        with self._alone():
            self._flushed = True
            return self._stage.flush()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise UsageError("stage: used from two threads at once: open a stage for each stream")
        try:
            yield
        finally:
            self._lock.release()

    def _refuse_flushed(self) -> None:
        if self._flushed:
            raise UsageError("stage: already flushed: open a new one for another stream")
