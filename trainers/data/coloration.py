"""What microphones and rooms do to the spectrum: tilts, noise floors. And tones, which lack both.

Recordings of a few studios teach the floor of those studios. A network that predicts the missing
band must see many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

Wave = NDArray[np.float32]

_FLOOR_BAND_HZ = (5000.0, 9000.0)
_FLOOR_QUANTILE = 0.1
_FLOOR_FFT = 2048
_REFERENCE_HZ = 20000.0
_FLAT_BELOW_HZ = 200.0
_QUIETEST = 1e-11


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


def recoloured(
    x: Wave, rate: int, tilts: Sequence[Tilt], noises: Sequence[Noise], rng: np.random.Generator
) -> Wave:
    """Return `x` `[samples]` with a tilted spectrum and noise behind it."""
    size = next_fast_len(x.size, real=True)
    spectrum = rfft(x, size)
    hertz = rfftfreq(size, 1 / rate).astype(np.float32)
    for tilt in tilts:
        spectrum *= (10 ** (tilt.gain_db(hertz) / 20)).astype(np.float32)
    for noise in noises:
        parts = rng.standard_normal((2, hertz.size), np.float32) * np.float32(np.sqrt(size / 2))
        spectrum += (parts[0] + 1j * parts[1]) * noise.amplitude(hertz)
    result: Wave = irfft(spectrum, size)[: x.size]
    return result


def floor_db(x: Wave, rate: int) -> float:
    """Return the level of the noise floor between 5 and 9 kHz, in dB of white noise's variance.

    That is the power of a bin in the quietest tenth of the frames.
    """
    window = np.hanning(_FLOOR_FFT + 1)[:-1].astype(np.float32)
    padded = np.pad(x, (0, -x.size % _FLOOR_FFT))
    spectra = rfft(padded.reshape(-1, _FLOOR_FFT) * window)
    hertz = rfftfreq(_FLOOR_FFT, 1 / rate)
    band = (hertz > _FLOOR_BAND_HZ[0]) & (hertz < _FLOOR_BAND_HZ[1])
    power = np.abs(spectra[:, band]) ** 2 / np.sum(window**2) + np.float32(_QUIETEST)
    # The mean of the logarithm of noise lies 2.5 dB below its power.
    levels = 10 * np.log10(power).mean(axis=1) + 2.5
    return float(np.quantile(levels, _FLOOR_QUANTILE))


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
    return recoloured(sound, rate, [], [floor], rng)
