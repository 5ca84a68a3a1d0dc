"""Another rate: soxr's stream behind a stage, with exact length and bits that no cut changes."""

import math

import numpy as np
import soxr

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.streaming.rechunk import Rechunk
from audiofix.streaming.stage import ProportionalLength

_QUALITY = "VHQ"
_BLOCK_SAMPLES = 4096
_BLOCK_RESULT_SAMPLES = 1 << 16


class Resample(ProportionalLength):
    """Change the rate. Result sample k lies at time `k / rate`; equal rates pass unchanged."""

    def __init__(self, source: AudioFormat, rate: int, *, block_seconds: float = math.inf) -> None:
        """Resample `source` to `rate` samples per second.

        Args:
            source: what will be pushed.
            rate: of the result.
            block_seconds: the most that samples wait for their block to be full, before soxr's own
                delay; less is for live use, and slower.
        """
        self.source = source
        self.result = AudioFormat(rate, source.channels)
        self._samples_in = 0
        self._samples_out = 0
        self._stream = None
        self.latency = 0
        if rate == source.rate:
            return
        # soxr sees blocks of one size whatever the caller pushes: its rounding cannot depend on it.
        block = min(_BLOCK_SAMPLES, max(1, _BLOCK_RESULT_SAMPLES * source.rate // rate))
        block = max(1, int(min(block, block_seconds * source.rate)))
        self._blocks = Rechunk(source.channels, block)
        self._stream = self._open(source.channels)
        self.latency = block + self._first_result(block)

    def push(self, chunk: Chunk) -> Chunk:
        """Return the resampled samples of every block that is complete."""
        self._samples_in += chunk.shape[1]
        if self._stream is None:
            return chunk.copy()
        parts = [chunk[:, :0]]
        parts += [self._stream.resample_chunk(block.T).T for block in self._blocks.push(chunk)]
        return self._counted(np.concatenate(parts, axis=1))

    def flush(self) -> Chunk:
        """Return the rest, so that the total is exactly `output_length`."""
        if self._stream is None or self._samples_in == 0:
            return np.empty((self.result.channels, 0), np.float32)
        rest = self._stream.resample_chunk(self._blocks.rest().T, last=True).T
        missing = self.output_length(self._samples_in) - self._samples_out
        return as_chunk(np.pad(rest, ((0, 0), (0, max(0, missing - rest.shape[1]))))[:, :missing])

    def _counted(self, samples: Chunk) -> Chunk:
        self._samples_out += samples.shape[1]
        return as_chunk(samples)

    def _open(self, channels: int) -> soxr.ResampleStream:
        return soxr.ResampleStream(
            self.source.rate, self.result.rate, channels, dtype="float32", quality=_QUALITY
        )

    def _first_result(self, block: int) -> int:
        """Return how many source samples soxr takes, in blocks, before it gives anything."""
        probe = self._open(1)
        taken = block
        while not probe.resample_chunk(np.zeros((block, 1), np.float32)).size:
            taken += block
        return taken
