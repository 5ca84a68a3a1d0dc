"""The checks that every stream needs, once, around whatever stage there is."""

import numpy as np

from audiofix.audio.format import Chunk
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

    def output_length(self, samples: int) -> int:
        """Return what the guarded stage promises."""
        return self._stage.output_length(samples)

    def push(self, chunk: Chunk) -> Chunk:
        """Check, then push.

        Raises:
            InputError: the chunk has another shape, or holds NaN or infinity; the time is named.
            UsageError: the stream was flushed before.
        """
        self._refuse_flushed()
        if chunk.ndim != 2 or chunk.shape[0] != self.source.channels:
            raise InputError(
                f"chunk of shape {chunk.shape}: must be [{self.source.channels}, samples]: reshape"
            )
        chunk = np.ascontiguousarray(chunk, np.float32)
        finite = np.isfinite(chunk).all(axis=0)
        if self._finite and not finite.all():
            seconds = (self._samples_in + int(np.argmin(finite))) / self.source.rate
            raise InputError(
                f"sample at {seconds:.6f} s: NaN or infinity: repair the recording first"
            )
        self._samples_in += chunk.shape[1]
        return self._stage.push(chunk)

    def flush(self) -> Chunk:
        """Flush, once.

        Raises:
            UsageError: the stream was flushed before.
        """
        self._refuse_flushed()
        self._flushed = True
        return self._stage.flush()

    def _refuse_flushed(self) -> None:
        if self._flushed:
            raise UsageError("stage: already flushed: open a new one for another stream")
