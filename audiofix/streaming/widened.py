"""A stage that is pushed float64, between stages that speak float32."""

from typing import cast

import numpy as np

from audiofix.audio.format import Chunk
from audiofix.streaming.stage import Stage


class Widened:
    """Push float64 into `stage`, and round its results to float32, as a pipe does."""

    def __init__(self, stage: Stage) -> None:
        """Wrap a fresh stage; float32 and float64 may be pushed."""
        self._stage = stage
        self.source = stage.source
        self.result = stage.result
        self.latency = stage.latency

    def output_length(self, samples: int) -> int:
        """Return what the stage promises."""
        return self._stage.output_length(samples)

    def push(self, chunk: Chunk) -> Chunk:
        """Return the stage's results, rounded."""
        return self._stage.push(cast(Chunk, chunk.astype(np.float64))).astype(np.float32)

    def flush(self) -> Chunk:
        """Return the stage's rest, rounded."""
        return self._stage.flush().astype(np.float32)
