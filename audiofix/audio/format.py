"""The one shape in which sound moves: chunks `[channels, samples]`, and their format."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Chunk = NDArray[np.float32]
"""Samples `[channels, samples]`, float32, C-contiguous, nominal range ±1. Mono is one row."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What a stream of chunks is: samples per second, and rows per chunk."""

    rate: int
    channels: int


def empty_chunk(channels: int) -> Chunk:
    """Return a chunk of no samples, `[channels, 0]`."""
    return np.empty((channels, 0), np.float32)


def as_chunk(samples: NDArray[Any]) -> Chunk:
    """Return `samples` `[channels, samples]` as a chunk, copying only where it must."""
    return np.ascontiguousarray(samples, np.float32)
