"""What microphones and rooms do to the spectrum: tilts, noise floors. And tones, which lack both.

Recordings of a few studios teach the floor of those studios. A network that predicts the missing
band must see many.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfftfreq

Wave = NDArray[np.float32]

_REFERENCE_HZ = 20000.0
_FLAT_BELOW_HZ = 200.0


@dataclass(frozen=True, slots=True)
class Tilt:
    """A spectrum that rises by so many dB per octave between two frequencies."""

    db_per_octave: float
    low_hz: float
    high_hz: float

    def gain_db(self, hertz: ArrayLike) -> NDArray[np.floating[Any]]:
        """Return the gain at some frequencies."""
        octaves = np.log2(np.clip(hertz, self.low_hz, self.high_hz) / self.low_hz)
        gain: NDArray[np.floating[Any]] = self.db_per_octave * octaves
        return gain


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise whose amplitude grows with frequency to the power of `slope`.

    Its level is that of white noise of so many dB at 20 kHz, where 0 dB is a variance of 1.
    """

    level_db: float
    slope: float

    def amplitude(self, hertz: Wave) -> Wave:
        """Return the amplitude at some frequencies; flat below 200 Hz."""
        shape = (np.maximum(hertz, _FLAT_BELOW_HZ) / _REFERENCE_HZ) ** self.slope
        return cast(Wave, shape * np.float32(10 ** (self.level_db / 20)))


def with_noise(x: Wave, rate: int, noise: Noise, rng: np.random.Generator) -> Wave:
    """Return `x` `[samples]` with noise behind it."""
    size = next_fast_len(x.size, real=True)
    hertz = rfftfreq(size, 1 / rate).astype(np.float32)
    parts = rng.standard_normal((2, hertz.size), np.float32) * np.float32(np.sqrt(size / 2))
    made: Wave = irfft((parts[0] + 1j * parts[1]) * noise.amplitude(hertz), size)[: x.size]
    return x + made


def tones(samples: int, rate: int, rng: np.random.Generator) -> Wave:
    """Return one to three tones or sweeps `[samples]` above a very low floor."""
    sound = np.zeros(samples, np.float32)
    for _ in range(rng.integers(1, 4)):
        begin = np.exp(rng.uniform(np.log(80), np.log(12000)))
        end = begin if rng.random() < 0.6 else min(20000.0, begin * np.exp(rng.uniform(-1, 1)))
        phase = 2 * np.pi * np.cumsum(np.linspace(begin, end, samples)) / rate
        sound += np.float32(rng.uniform(0.05, 1)) * np.sin(phase).astype(np.float32)
    sound *= np.float32(rng.uniform(0.02, 0.3))
    floor = Noise(rng.uniform(-130, -70), rng.uniform(-0.4, 0.6))
    return with_noise(sound, rate, floor, rng)
