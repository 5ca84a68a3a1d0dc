"""A stage that gives another one the exact length that was promised to the user.

Two resamplings in a row round twice, so a chain can end a sample or two beside
`round(samples * result_rate / source_rate)`. Nothing is shifted: the end is cut or continued
with zeros.
"""

import numpy as np

from audiofix.audio.format import Chunk, empty_chunk
from audiofix.streaming.stage import ProportionalLength, Stage

_SLACK = 8
"""Result samples held back until the length is known; more than any chain's rounding error."""


class ExactLength(ProportionalLength):
    """Trim or pad the end of `stage` to the length that its two rates give."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.source = stage.source
        self.result = stage.result
        self.latency = stage.latency + -(-_SLACK * stage.source.rate // stage.result.rate)
        self._held = empty_chunk(self.result.channels)
        self._samples_in = 0
        self._samples_out = 0

    def push(self, chunk: Chunk) -> Chunk:
        """Accept source samples; return result samples, the newest few held back."""
        self._samples_in += chunk.shape[1]
        ready = np.concatenate([self._held, self._stage.push(chunk)], axis=1)
        keep = min(_SLACK, ready.shape[1])
        cut = ready.shape[1] - keep
        self._held = ready[:, cut:].copy()
        self._samples_out += cut
        return np.ascontiguousarray(ready[:, :cut])

    def flush(self) -> Chunk:
        """End the stream with exactly the samples that are missing."""
        rest = np.concatenate([self._held, self._stage.flush()], axis=1)
        missing = self.output_length(self._samples_in) - self._samples_out
        result = np.zeros((self.result.channels, missing), np.float32)
        count = min(missing, rest.shape[1])
        result[:, :count] = rest[:, :count]
        return result
