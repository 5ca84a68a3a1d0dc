"""Recordings cut into crops of one length, as A2SB's authors number them."""

from collections.abc import Sequence

_SPARE_SECONDS = 0.001
"""Between one crop's end and the next one's beginning, in the authors' arithmetic."""


def segments(durations: Sequence[float], samples: int, rate: int) -> list[tuple[int, float, float]]:
    """Return file, start and end in seconds of every crop, in order.

    Args:
        durations: of the files in seconds.
        samples: of a crop.
        rate: samples per second.
    """
    length = samples / rate + _SPARE_SECONDS
    return [
        (place, piece * length, (piece + 1) * length)
        for place, duration in enumerate(durations)
        for piece in range(int(duration // length))
    ]
