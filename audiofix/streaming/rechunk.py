"""Blocks of one size out of chunks of any size."""

from collections.abc import Iterator

import numpy as np

from audiofix.audio.format import Chunk


class Rechunk:
    """Collects chunks and hands out blocks of exactly `block` samples."""

    def __init__(self, channels: int, block: int) -> None:
        """Start empty."""
        self._held = np.empty((channels, block), np.float32)
        self._count = 0

    def push(self, chunk: Chunk) -> Iterator[Chunk]:
        """Yield every block that `chunk` completes. Take them all before the next push."""
        block = self._held.shape[1]
        position = 0
        while position < chunk.shape[1]:
            taken = min(block - self._count, chunk.shape[1] - position)
            self._held[:, self._count : self._count + taken] = chunk[:, position : position + taken]
            self._count += taken
            position += taken
            if self._count == block:
                self._count = 0
                yield self._held.copy()

    def rest(self) -> Chunk:
        """Return the samples that no block took, and start empty again."""
        rest = self._held[:, : self._count].copy()
        self._count = 0
        return rest
