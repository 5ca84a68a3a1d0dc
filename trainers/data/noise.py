"""Noise over speech, for encoders that learn to leave it out."""

from collections.abc import Sequence

import numpy as np

from audiofix.audio.format import Chunk

_SILENCE = 1e-8
_FLAT_BELOW = 0.01
"""Part of the band in which noise of any slope is white: brown noise is mostly inaudible else."""


def add_noise(
    clean: Chunk, noise: Chunk, range_db: Sequence[float], generator: np.random.Generator
) -> Chunk:
    """Return `clean` with `noise` at a signal-to-noise ratio drawn from `range_db`.

    Half of the time the noise is white instead, filtered by a random slope.

    Args:
        clean: `[1, samples]`.
        noise: the same shape.
        range_db: lowest and highest ratio.
        generator: of ratio and kind.
    """
    if generator.random() < 0.5:
        spectrum = np.fft.rfft(generator.standard_normal(clean.shape))
        slope = generator.uniform(0.0, 1.0)  # white to brown
        place = np.linspace(0, 1, spectrum.shape[1])
        shaped = spectrum / np.maximum(place, _FLAT_BELOW) ** slope
        noise = np.fft.irfft(shaped, clean.shape[1]).astype(np.float32)
    ratio = 10 ** (generator.uniform(min(range_db), max(range_db)) / 20)
    level = np.sqrt(np.mean(clean**2) / (np.mean(noise**2) + _SILENCE)) / ratio
    return np.ascontiguousarray(clean + noise * np.float32(level), np.float32)
