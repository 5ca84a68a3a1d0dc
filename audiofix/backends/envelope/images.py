"""A multiple of the rate with the images left in, for what replaces all that lies above the band.

A resampler must stop the image that begins where the band ends, so its slope begins below, and its
filter is long. Zeros between the samples leave the band whole and cost no delay.
"""

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.streaming.stage import ProportionalLength


class WithImages(ProportionalLength):
    """Zeros after each sample: the band, and its mirror images above it."""

    def __init__(self, source: AudioFormat, factor: int) -> None:
        """Multiply the rate of `source` by `factor`."""
        self.source = source
        self.result = AudioFormat(factor * source.rate, source.channels)
        self.latency = 0
        self._factor = factor

    def push(self, chunk: Chunk) -> Chunk:
        """Return the samples, raised to the level that the band had, and the zeros."""
        result = np.zeros((chunk.shape[0], self._factor * chunk.shape[1]), np.float32)
        result[:, :: self._factor] = self._factor * chunk
        return result

    def flush(self) -> Chunk:
        """Return nothing."""
        return np.zeros((self.source.channels, 0), np.float32)
