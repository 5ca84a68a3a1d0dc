"""Recordings as the levels of their bands, and what microphones, rooms and mixers do to those.

An analysis costs more than all that follows: a recording is analysed once and changed as often as
it is drawn. Levels are `[frames, 2, bands]`: log10 of the geometric and of the arithmetic mean of a
band's power, without digital silence.
"""

import numpy as np
from numpy.typing import NDArray

from audiofix.backends.envelope.bands import SILENCE, RunningLevels, analysed

Floats = NDArray[np.float32]

NOTHING = -14.0
"""Level of bands in which there is less than digital silence."""

_LN10 = np.float32(np.log(10))
_NOISE_PEAKED = 0.25
"""log10 power between the arithmetic and the geometric mean of noise."""

_NOISE_SPREAD = 0.19
"""Standard deviation of the geometric mean of noise, in bands of 300 Hz and frames of 43 ms."""

_FLOOR_QUANTILE = 0.1


def levels_of(sound: Floats, rate: int, bands: int, band_hz: float) -> NDArray[np.float16]:
    """Return the levels of a recording `[samples]`, small enough to be kept."""
    statistics, _ = analysed(sound, rate, bands, band_hz)
    geometric = statistics[:, 0]
    both = np.stack([geometric, geometric + statistics[:, 4]], axis=1)
    heard = np.maximum(10 ** both.astype(np.float64) - 10**SILENCE, 10**NOTHING)
    result: NDArray[np.float16] = np.log10(heard).astype(np.float16)
    return result


def excerpt(levels: NDArray[np.float16], start: int, frames: int, speed: float) -> Floats:
    """Return `frames` frames from `start` on, played at another speed.

    What is too short is repeated. Faster means higher: bands move up by the same factor.
    """
    places = start + np.arange(frames) * speed
    found: Floats = levels[places.astype(int) % len(levels)].astype(np.float32)
    if speed == 1:
        return found
    bands = found.shape[2]
    source = np.clip((np.arange(bands) + 0.5) / speed - 0.5, 0, bands - 1)
    left = np.minimum(source.astype(int), bands - 2)
    share = (source - left).astype(np.float32)
    result: Floats = found[..., left] + (found[..., left + 1] - found[..., left]) * share
    return result


def mixed(levels: Floats, other: Floats | np.float32) -> Floats:
    """Return the levels of two sounds at once: powers add."""
    result: Floats = np.logaddexp(levels * _LN10, other * _LN10) / _LN10
    return result


def noise(power: Floats, frames: int, rng: np.random.Generator) -> Floats:
    """Return the levels of so many frames of noise of a power `[bands]`, log10."""
    made = np.empty((frames, 2, len(power)), np.float32)
    spread = np.float32(_NOISE_SPREAD)
    made[:, 0] = power - np.float32(_NOISE_PEAKED)
    made[:, 0] += spread * rng.standard_normal((frames, len(power)), np.float32)
    made[:, 1] = power
    return made


def random_walk(bands: int, step: float, rng: np.random.Generator) -> Floats:
    """Return an equaliser's curve `[bands]`: log10 power, whose differences have one deviation."""
    walk = np.cumsum(rng.normal(0, step, bands))
    result: Floats = (walk - walk.mean()).astype(np.float32)
    return result


def floor(levels: Floats, low: int, high: int) -> float:
    """Return the power of the noise floor between two bands: that of the quietest tenth."""
    means = levels[:, 0, low:high].mean(axis=1)
    return float(np.quantile(means, _FLOOR_QUANTILE)) + _NOISE_PEAKED


def loudest(levels: Floats) -> float:
    """Return the power of the loudest frame, log10 per sample, full scale 0."""
    return float(np.log10((10 ** levels[:, 1]).mean(axis=1).max()))


def statistics(levels: Floats) -> tuple[Floats, Floats]:
    """Return what the network sees of a stream that begins with these levels; see `analysed`."""
    audible = mixed(levels, np.float32(SILENCE))
    level = audible[:, 0]
    peaked = np.maximum(audible[:, 1] - level, 0)
    running, heard = RunningLevels(level.shape[1]).push(level)
    return np.concatenate([level[:, None], running, peaked[:, None]], axis=1), heard
