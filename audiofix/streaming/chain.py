"""Several stages in a row, as one stage."""

from fractions import Fraction
from math import ceil

import numpy as np

from audiofix.audio.format import Chunk, empty_chunk
from audiofix.errors import UsageError
from audiofix.streaming.stage import Stage


class Chain:
    """Push what comes out of each stage into the next."""

    def __init__(self, *stages: Stage) -> None:
        """Chain at least one stage.

        Raises:
            UsageError: a stage does not take the format that the one before it gives.
        """
        for left, right in zip(stages[:-1], stages[1:], strict=True):
            if left.result != right.source:
                raise UsageError(f"chain: {left.result} goes into {right.source}: formats differ")
        self._stages = stages
        self.source = stages[0].source
        self.result = stages[-1].result
        self.latency = ceil(
            sum(Fraction(stage.latency * self.source.rate, stage.source.rate) for stage in stages)
        )

    def output_length(self, samples: int) -> int:
        """Return the result's length for `samples` source samples, stage by stage."""
        for stage in self._stages:
            samples = stage.output_length(samples)
        return samples

    def push(self, chunk: Chunk) -> Chunk:
        """Push through every stage."""
        for stage in self._stages:
            chunk = stage.push(chunk)
        return chunk

    def flush(self) -> Chunk:
        """Flush the stages in order, each one's rest passing through those after it."""
        rest = empty_chunk(self.source.channels)
        for stage in self._stages:
            rest = np.concatenate([stage.push(rest), stage.flush()], axis=1)
        return rest
