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


def hertz_of(text: str) -> float:
    """Return the rate or frequency that `48000`, `48k` or `48 kHz` means, in Hz.

    Raises:
        ValueError: the text means none.
    """
    number = text.lower().removesuffix("hz").strip()
    hertz = float(number[:-1]) * 1000 if number.endswith("k") else float(number)
    if not np.isfinite(hertz):
        raise ValueError(f"{text}: no frequency")
    return hertz


def empty_chunk(channels: int) -> Chunk:
    """Return a chunk of no samples, `[channels, 0]`."""
    return np.empty((channels, 0), np.float32)


def as_chunk(samples: NDArray[Any]) -> Chunk:
    """Return `samples` `[channels, samples]` as a chunk, copying only where it must."""
    return np.ascontiguousarray(samples, np.float32)


LOUDEST = 1e6
"""Of a sample: a million times full scale is no recording, and no model answers it with sense."""


def fault_in(samples: NDArray[np.floating], *, finite: bool = True) -> tuple[int, str] | None:
    """Return where `[channels, samples]` hold the first value that is no sound, and what it is.

    Args:
        samples: to be looked at.
        finite: whether NaN and infinity are faults, too.
    """
    sound = (np.abs(samples) < LOUDEST).all(axis=0)
    if not finite and not sound.all():
        sound |= ~np.isfinite(samples).all(axis=0)
    if sound.all():
        return None
    place = int(np.argmin(sound))
    if np.isfinite(samples[:, place]).all():
        return place, f"a level of {LOUDEST:g} times full scale or beyond"
    return place, "NaN or infinity"
