"""What microphones and rooms do to the spectrum: tilts, noise floors. And tones, which lack both.

Recordings of a few studios teach the floor of those studios. A network that predicts the missing
band must see many.
"""

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float64]

_FLOOR_BAND_HZ = (5000.0, 9000.0)
_FLOOR_QUANTILE = 0.1
_FLOOR_FFT = 2048
_REFERENCE_HZ = 20000.0
_FLAT_BELOW_HZ = 200.0
_QUIETEST = 1e-11


def tilted(x: Wave, rate: int, db_per_octave: float, low_hz: float, high_hz: float) -> Wave:
    """Return `x` `[samples]` with a spectrum that tilts between two frequencies."""
    hertz = np.fft.rfftfreq(x.size, 1 / rate)
    octaves = np.log2(np.clip(hertz, low_hz, high_hz) / low_hz)
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (db_per_octave * octaves / 20), x.size)


def coloured_noise(samples: int, rate: int, slope: float, rng: np.random.Generator) -> Wave:
    """Return noise `[samples]` whose amplitude grows with frequency to the power of `slope`.

    Its power per sample and bin is 1 at 20 kHz: white noise has variance 1.
    """
    hertz = np.fft.rfftfreq(samples, 1 / rate)
    shape = (np.maximum(hertz, _FLAT_BELOW_HZ) / _REFERENCE_HZ) ** slope
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * shape, samples)


def floor_db(x: Wave, rate: int) -> float:
    """Return the level of the noise floor between 5 and 9 kHz, in dB of white noise's variance.

    That is the power of a bin in the quietest tenth of the frames.
    """
    window = np.hanning(_FLOOR_FFT + 1)[:-1]
    padded = np.pad(x, (0, -x.size % _FLOOR_FFT))
    spectra = np.fft.rfft(padded.reshape(-1, _FLOOR_FFT) * window) / np.sqrt(np.sum(window**2))
    hertz = np.fft.rfftfreq(_FLOOR_FFT, 1 / rate)
    band = (hertz > _FLOOR_BAND_HZ[0]) & (hertz < _FLOOR_BAND_HZ[1])
    levels = 10 * np.log10(np.abs(spectra[:, band]) ** 2 + _QUIETEST).mean(axis=1)
    # The mean of the logarithm of noise lies 2.5 dB below its power.
    return float(np.quantile(levels, _FLOOR_QUANTILE)) + 2.5


def tones(samples: int, rate: int, rng: np.random.Generator) -> Wave:
    """Return one to three tones or sweeps `[samples]` above a very low floor."""
    sound = np.zeros(samples)
    for _ in range(rng.integers(1, 4)):
        begin = np.exp(rng.uniform(np.log(80), np.log(12000)))
        end = begin if rng.random() < 0.6 else min(20000.0, begin * np.exp(rng.uniform(-1, 1)))
        phase = 2 * np.pi * np.cumsum(np.linspace(begin, end, samples)) / rate
        sound += rng.uniform(0.05, 1) * np.sin(phase)
    floor = coloured_noise(samples, rate, rng.uniform(-0.4, 0.6), rng)
    return sound * rng.uniform(0.02, 0.3) + floor * 10 ** (rng.uniform(-130, -70) / 20)
