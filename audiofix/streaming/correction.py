"""A model's changes to sound at another rate than the model's: only they are resampled."""

from collections.abc import Callable

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.streaming.chain import Chain
from audiofix.streaming.exact_length import ExactLength
from audiofix.streaming.lockstep import Lockstep
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import ProportionalLength, Stage

MakeStage = Callable[[AudioFormat], Stage]
"""Makes a model's stage for a format at the model's rate; rate and length stay."""


def at_rate(source: AudioFormat, model_rate: int, result_rate: int, make: MakeStage) -> Stage:
    """Return a stage that works at `model_rate` on sound of any rate.

    What the source has above the model's band is kept, and nothing is added there.

    Args:
        source: what will be pushed.
        model_rate: samples per second at which the model works.
        result_rate: of the result.
        make: makes the model's stage.
    """
    model_format = AudioFormat(model_rate, source.channels)
    stages: list[Stage] = []
    if source.rate > model_rate:
        stages.append(Correction(source, make(model_format)))
    else:
        stages += [Resample(source, model_rate)] if source.rate < model_rate else []
        stages.append(make(model_format))
    if stages[-1].result.rate != result_rate:
        stages.append(Resample(stages[-1].result, result_rate))
    return stages[0] if len(stages) == 1 else ExactLength(Chain(*stages))


class _Changes:
    """What a stage changes: its result minus its source."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pairs = Lockstep(2)
        self.source = stage.source
        self.result = stage.result
        self.latency = stage.latency

    def output_length(self, samples: int) -> int:
        return self._stage.output_length(samples)

    def push(self, chunk: Chunk) -> Chunk:
        made, given = self._pairs.push(self._stage.push(chunk), chunk.copy())
        return made - given

    def flush(self) -> Chunk:
        made, given = self._pairs.push(self._stage.flush(), empty_chunk(self.source.channels))
        return made - given


class Correction(ProportionalLength):
    """Add to sound what a stage at a lower rate changes in its band."""

    def __init__(self, source: AudioFormat, stage: Stage) -> None:
        """Make the stage.

        Args:
            source: of the sound, at a higher rate than `stage`.
            stage: keeps its rate and length.
        """
        down, up = Resample(source, stage.source.rate), Resample(stage.result, source.rate)
        self._changes = ExactLength(Chain(down, _Changes(stage), up))
        self._pairs = Lockstep(2)
        self.source = source
        self.result = source
        self.latency = self._changes.latency

    def push(self, chunk: Chunk) -> Chunk:
        """Return the samples whose changes are known."""
        changes, given = self._pairs.push(self._changes.push(chunk), chunk.copy())
        return as_chunk(given + changes)

    def flush(self) -> Chunk:
        """Return the rest."""
        rest = self._changes.flush()
        changes, given = self._pairs.push(rest, empty_chunk(self.source.channels))
        return np.ascontiguousarray(given + changes)
