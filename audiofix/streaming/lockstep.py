"""Streams that arrive unevenly, handed on side by side."""

from collections import deque

import numpy as np

from audiofix.audio.format import Chunk


class Lockstep:
    """Holds what came of each of several streams until the others have come as far.

    Memory is bounded by how far one stream runs ahead of another.
    """

    def __init__(self, streams: int) -> None:
        """Start with nothing of any stream."""
        self._queues: list[deque[Chunk]] = [deque() for _ in range(streams)]
        self.held = [0] * streams
        """Samples of each stream that wait for the others."""

    def push(self, *chunks: Chunk) -> list[Chunk]:
        """Take in `[channels, n]` of each stream, any n; return the same length of each."""
        for index, chunk in enumerate(chunks):
            self._queues[index].append(chunk)
            self.held[index] += chunk.shape[1]
        ready = min(self.held)
        return [self._take(index, ready) for index in range(len(self._queues))]

    def _take(self, index: int, samples: int) -> Chunk:
        whole = np.concatenate(list(self._queues[index]), axis=1)
        self._queues[index] = deque([whole[:, samples:].copy()])
        self.held[index] -= samples
        return whole[:, :samples]
