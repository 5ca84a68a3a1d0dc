"""What callers of the Python API hand over: sound of either library, numbers, gaps; checked."""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

import numpy as np

from audiofix.audio.format import Chunk, hertz_of
from audiofix.errors import InputError, UsageError

Sound = TypeVar("Sound")
"""A numpy array or a torch tensor; what went in comes out."""

_MOST_RATE = 10_000_000
_MOST_CHANNELS = 256
_FULL_SCALES = {
    np.dtype(np.int16): (0, 2**15),
    np.dtype(np.int32): (0, 2**31),
    np.dtype(np.uint8): (2**7, 2**7),
}
"""Integers that files hold: silence and full scale."""


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number, whatever type it came as.

    Raises:
        UsageError: it is none, or out of range.

    >>> whole_number("rate", 16000.0, 1, 96000)
    16000
    """
    try:
        number = int(cast(Any, value))
        is_whole = not isinstance(value, bool | str | bytes) and number == value
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole or not least <= number <= most:
        raise UsageError(f"{name}={value!r:.50}: must be a whole number from {least} to {most}")
    return number


def rate_of(name: str, value: object) -> int:
    """Return samples per second, of a number or of `"48k"`.

    Raises:
        UsageError: it is neither.
    """
    try:
        number = hertz_of(value) if isinstance(value, str) else value
    except ValueError as error:
        raise UsageError(f"{name}={value!r:.50}: must be a rate: 48000 or '48k'") from error
    return whole_number(name, number, 1, _MOST_RATE)


def channels_of(value: object) -> int:
    """Return a number of channels."""
    return whole_number("channels", value, 1, _MOST_CHANNELS)


def real_number(name: str, value: object) -> float:
    """Return a finite number.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, bool | str | bytes):
        raise UsageError(f"{name}={value!r:.50}: must be a number")
    try:
        number = float(cast(Any, value))
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name}={value!r:.50}: must be a number") from error
    if not np.isfinite(number):
        raise UsageError(f"{name}={value!r:.50}: must be finite")
    return number


def share_of(name: str, value: object) -> float:
    """Return a number from 0 to 1.

    Raises:
        UsageError: it is none.
    """
    number = real_number(name, value)
    if not 0 <= number <= 1:
        raise UsageError(f"{name}={value!r:.50}: must be from 0 to 1")
    return number


def gaps_of(value: object) -> tuple[tuple[float, float], ...]:
    """Return gaps as pairs of seconds.

    Raises:
        UsageError: they are no pairs of numbers, or one does not end after its start.
    """
    try:
        pairs = [tuple(pair) for pair in cast(Iterable[Any], value)]
    except TypeError as error:
        raise UsageError(f"gaps={value!r:.50}: must be pairs of seconds: [(1.0, 1.3)]") from error
    for pair in pairs:
        if len(pair) != 2:
            raise UsageError(f"gaps: {pair!r:.50}: must be a start and an end in seconds")
    found = tuple((real_number("gaps", a), real_number("gaps", b)) for a, b in pairs)
    for start, end in found:
        if not 0 <= start < end:
            raise UsageError(f"gaps: ({start:g}, {end:g}): must begin at 0 or later, and then end")
    return found


def samples_of(x: object) -> Chunk:
    """Return sound as a chunk, whatever library it comes from; integers become -1 to 1.

    Raises:
        InputError: it has a wrong shape or type.
    """
    given = cast(Any, x).detach().cpu() if is_tensor(x) else x
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # bfloat16, ragged lists
        raise InputError(f"x: {error}: give float32") from error
    if array.dtype.kind in "US":
        raise InputError(f"x={x!r:.50}: is a text: `audiofix.read` gives the samples of a file")
    if array.dtype.kind in "iu" and array.dtype not in _FULL_SCALES:
        raise InputError(f"x of {array.dtype}: its full scale is not known: give float32 or int16")
    if array.dtype.kind not in "fiu":
        raise InputError(f"x of {array.dtype}: must be real numbers: give float32")
    if array.ndim not in (1, 2):
        raise InputError(
            f"x of shape {array.shape}: needs [channels, samples] or [samples]: reshape it"
        )
    if array.ndim == 2 and not 1 <= len(array) <= _MOST_CHANNELS:
        raise InputError(
            f"x of shape {array.shape}: {len(array)} channels; 1 to {_MOST_CHANNELS} can be: "
            "channels come first"
        )
    if array.ndim == 2 and len(array) > max(2, array.shape[1]):
        raise InputError(
            f"x of shape {array.shape}: axis 0 has {len(array)} channels, more than there are "
            "samples: channels come first: give x.T"
        )
    if array.dtype.kind in "iu":
        middle, full = _FULL_SCALES[array.dtype]
        array = (array.astype(np.float64) - middle) / full
    return np.ascontiguousarray(np.atleast_2d(array), np.float32)


def like(x: Sound, samples: Chunk) -> Sound:
    """Return `samples` as the kind of object that `x` is, with as many axes."""
    shaped = samples if np.ndim(cast(Any, x)) == 2 else samples[0]
    if not is_tensor(x):
        return cast(Sound, shaped)
    import torch

    return cast(Sound, torch.from_numpy(shaped).to(cast(torch.Tensor, x).device))


def is_tensor(x: object) -> bool:
    """Tell a torch tensor without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch"
