"""Dry and wet: what a stage makes of sound, mixed with that sound itself."""

import numpy as np

from audiofix.audio.format import Chunk
from audiofix.streaming.lockstep import Lockstep
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import Stage


def mixed(stage: Stage, mix: float) -> Stage:
    """Return a stage whose result is `mix` of the stage's and the rest of its input.

    Args:
        stage: fresh, with as many channels in as out.
        mix: from 0, the input alone, resampled where rates differ, to 1, `stage` itself.
    """
    return stage if mix == 1 else _Mixed(stage, mix)


class _Mixed:
    def __init__(self, stage: Stage, mix: float) -> None:
        self._stage = stage
        self._dry = Resample(stage.source, stage.result.rate)
        self._mix = np.float32(mix)
        self._pairs = Lockstep(2)
        self.source = stage.source
        self.result = stage.result
        self.latency = max(stage.latency, self._dry.latency)

    def output_length(self, samples: int) -> int:
        return self._stage.output_length(samples)

    def push(self, chunk: Chunk) -> Chunk:
        return self._sum(self._stage.push(chunk), self._dry.push(chunk))

    def flush(self) -> Chunk:
        return self._sum(self._stage.flush(), self._dry.flush())

    def _sum(self, wet: Chunk, dry: Chunk) -> Chunk:
        wet, dry = self._pairs.push(wet, dry)
        return self._mix * wet + (1 - self._mix) * dry
