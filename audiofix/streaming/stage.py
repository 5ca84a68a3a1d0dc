"""What a stage is: one stream passing through one process."""

from typing import Protocol, runtime_checkable

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk


@runtime_checkable
class Stage(Protocol):
    """One stream passing through one process.

    A stage is made for a single stream and thrown away after `flush`.
    Cutting the input differently never changes the output by a single bit.
    Result sample k belongs to source time `k / result.rate`.
    """

    source: AudioFormat
    result: AudioFormat
    latency: int
    """Source samples after which the stage keeps up: once `latency + n` have been pushed, the
    results of the first n are out."""

    def output_length(self, samples: int) -> int:
        """Result samples, in total, for `samples` source samples in total."""
        ...

    def push(self, chunk: Chunk) -> Chunk:
        """Accept the next samples and return every result sample that is now final.

        Args:
            chunk: `[source.channels, n]` with any n >= 0. Not kept, not modified.

        Returns:
            `[result.channels, m]`, m >= 0. Owned by the caller.
        """
        ...

    def flush(self) -> Chunk:
        """End the stream and return what is left. `push` is an error afterwards."""
        ...


def scaled_length(samples: int, source_rate: int, result_rate: int) -> int:
    """Return `round(samples * result_rate / source_rate)`, halves up, in integers.

    >>> scaled_length(1, 16000, 48000), scaled_length(1, 2, 1), scaled_length(3, 44100, 16000)
    (3, 1, 1)
    """
    return (2 * samples * result_rate + source_rate) // (2 * source_rate)


class ProportionalLength:
    """The part of `Stage` that nearly all share: a result is as long as both rates make it."""

    source: AudioFormat
    result: AudioFormat

    def output_length(self, samples: int) -> int:
        """Return `round(samples * result.rate / source.rate)`, halves up."""
        return scaled_length(samples, self.source.rate, self.result.rate)


def through(stage: Stage, samples: Chunk) -> Chunk:
    """Return all that a fresh stage makes of samples."""
    return np.concatenate([stage.push(samples), stage.flush()], axis=1)
