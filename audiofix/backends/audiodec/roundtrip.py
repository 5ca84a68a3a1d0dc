"""Encoding and decoding at once, as a stage: what a listener gets to hear of a codec."""

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.streaming.codec import FrameDecoder, FrameEncoder


class RoundTrip:
    """Sound through codes and back, at the model's rate and at its length."""

    def __init__(
        self, source: AudioFormat, encoder: FrameEncoder, decoder: FrameDecoder, latency: int
    ) -> None:
        """Join two fresh streams.

        Args:
            source: of the sound, at the model's rate.
            encoder: takes `source`.
            decoder: takes what it makes.
            latency: samples after which the two keep up.
        """
        self.source = source
        self.result = source
        self.latency = latency
        self._encoder = encoder
        self._decoder = decoder
        self._ahead = empty_chunk(source.channels)
        self._samples_due = 0

    def output_length(self, samples: int) -> int:
        """Return `samples`."""
        return samples

    def push(self, chunk: Chunk) -> Chunk:
        """Return what is decoded, but no more than came in: a code tells the end of its hop too."""
        self._samples_due += chunk.shape[1]
        return self._take(self._decoder.push(self._encoder.push(chunk)))

    def flush(self) -> Chunk:
        """Return what is left."""
        rest = self._decoder.push(self._encoder.flush())
        return self._take(np.concatenate([rest, self._decoder.flush()], axis=1))

    def _take(self, decoded: Chunk) -> Chunk:
        ready = np.concatenate([self._ahead, decoded], axis=1)
        taken = min(ready.shape[1], self._samples_due)
        self._samples_due -= taken
        self._ahead = ready[:, taken:].copy()
        return as_chunk(ready[:, :taken])
