"""What fills the missing band before it has its level: noise in the rhythm of the known band.

Noise that swells with the envelope of the upper part of the input's band is pitch-synchronous where
a voice is, and sounds of one piece with it; plain noise hisses beside the voice. Only its phases
are used: with one magnitude in all bins the noise is smoother than white noise (4.1 dB of deviation
between bins after overlapping, where white noise has 5.6), and nearer to whatever was there.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, rfft

from audiofix.backends.envelope.bands import FrameGrid

_RHYTHM_HZ = 1500.0
"""Width of the band whose envelope is taken: enough for the pulses of a voice."""

_MAGNITUDE = np.float32(10 ** (0.192 / 2))
"""Overlapping frames that do not agree lose so much: measured on ten seconds of noise."""

_LEAST = np.float32(1e-30)

_DEEPEST = 1e-3
"""Share of a frame's rhythm below which it is filled up, so that no frame is empty."""


def rhythmic_noise(
    noise: NDArray[np.float32],
    spectra: NDArray[np.complex64],
    grid: FrameGrid,
    edge_hz: float,
) -> NDArray[np.complex64]:
    """Return spectra of noise in the rhythm of the input.

    Args:
        noise: white, the frames that belong to `spectra`; `[frames, size]`.
        spectra: of the input, `[frames, bins]`.
        grid: of both.
        edge_hz: up to where the input is trusted.

    Returns:
        `[frames, bins]`, of one magnitude. Overlapped and analysed again, log10 power has mean 0.
    """
    upper = (grid.frequencies < edge_hz) & (grid.frequencies >= edge_hz - _RHYTHM_HZ)
    analytic = np.zeros((len(spectra), grid.size), np.complex64)
    analytic[:, : spectra.shape[1]] = spectra * upper
    rhythm = np.abs(ifft(analytic, axis=1))
    rhythm += grid.window * (_DEEPEST * rhythm.max(axis=1, keepdims=True) + np.float32(1e-12))
    made = rfft(noise * rhythm, axis=1)
    result: NDArray[np.complex64] = made * (_MAGNITUDE / np.maximum(np.abs(made), _LEAST))
    return result
