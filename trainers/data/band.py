"""Taking the high band away, in the many ways in which the world does it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soxr
from audiofix.trainers.data.degrade import LOW_PASSES, band_limited, low_passed

from audiofix.audio.format import Chunk
from audiofix.errors import SettingsError

Way = Literal["soxr", "polyphase", "filter"]
_QUALITIES = ("VHQ", "HQ", "MQ")


@dataclass(frozen=True, slots=True)
class BandSettings:
    """How clips lose their high band.

    Attributes:
        rates: input rates to draw from. Two numbers with `any_rate` are the ends of a range.
        any_rate: whether every whole rate between the first and the last is drawn (published).
        soxr: weight of resampling by soxr, as users' files have mostly been.
        polyphase: weight of `resample_poly` (published).
        filter: weight of the filter bank (Chebyshev, Bessel, elliptic; described, never used).
        cutoff_jitter: relative deviation of the filters' cut-off.
        rounded: part of soxr's clips that pass through 16-bit samples, as files do.
    """

    rates: tuple[int, ...] = (8000, 11025, 12000, 16000, 22050, 24000, 32000)
    any_rate: bool = False
    soxr: float = 0.75
    polyphase: float = 0.25
    filter: float = 0.0
    cutoff_jitter: float = 0.0
    rounded: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what nothing can be drawn from.

        Raises:
            SettingsError: there is no rate, or no way has a weight.
        """
        if not self.rates or min(self.rates) < 1:
            raise SettingsError(f"data.band.rates: {list(self.rates)}: must be rates, one at least")
        weights = (self.soxr, self.polyphase, self.filter)
        if min(weights) < 0 or not sum(weights):
            raise SettingsError("data.band: give soxr, polyphase or filter a weight above 0")

    def draw_rate(self, generator: np.random.Generator, highest: float = math.inf) -> int:
        """Return an input rate that `highest` allows, or the lowest rate of all."""
        lowest = min(self.rates)
        if self.any_rate:
            last = max(lowest, int(min(max(self.rates), highest)))
            return int(generator.integers(lowest, last + 1))
        allowed = [rate for rate in self.rates if rate <= highest]
        return int(generator.choice(allowed or [lowest]))

    def draw_way(self, generator: np.random.Generator) -> Way:
        """Return what takes the band away."""
        weights = np.array([self.soxr, self.polyphase, self.filter])
        ways: tuple[Way, ...] = ("soxr", "polyphase", "filter")
        return ways[int(generator.choice(len(ways), p=weights / weights.sum()))]


def take_band(
    clip: Chunk, rate: int, low_rate: int, settings: BandSettings, generator: np.random.Generator
) -> Chunk:
    """Return `clip` `[1, samples]` as it comes back from `low_rate` samples per second."""
    if low_rate >= rate:
        return clip
    way = settings.draw_way(generator)
    if way == "polyphase":
        taken = band_limited(clip, rate, low_rate)
    elif way == "filter":
        kind, order = LOW_PASSES[generator.integers(len(LOW_PASSES))]
        jitter = 1 + settings.cutoff_jitter * generator.uniform(-1, 0)
        taken = low_passed(clip, rate, jitter * low_rate / 2, kind, order)
    else:
        small = soxr.resample(clip[0], rate, low_rate, str(generator.choice(_QUALITIES)))
        if generator.random() < settings.rounded:
            small = np.rint(small * 32768 + generator.uniform(-1, 1, small.size)) / 32768
        back = soxr.resample(small, low_rate, rate, "VHQ")[: clip.shape[1]]
        taken = np.pad(back, (0, clip.shape[1] - back.size))[None]
    return np.ascontiguousarray(taken, np.float32)
