"""Scale-invariant ratios of spectra, as the `ssr_eval` package computes them for A2SB's tables."""

import numpy as np
from numpy.typing import NDArray

_FFT_SIZE = 2048
_HOP_AT_44100 = 441
_EPSILON = 1e-12


def sispec(estimate: NDArray[np.float32], target: NDArray[np.float32], rate: int) -> float:
    """Return the scale-invariant ratio in dB of magnitude spectra of `[samples]`."""
    return _ratio(_magnitudes(estimate, rate), _magnitudes(target, rate))


def log_sispec(estimate: NDArray[np.float32], target: NDArray[np.float32], rate: int) -> float:
    """Return the same of the magnitudes' decimal logarithms."""
    found, wanted = _magnitudes(estimate, rate), _magnitudes(target, rate)
    return _ratio(np.log10(found + _EPSILON), np.log10(wanted + _EPSILON))


def _ratio(estimate: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    scale = (estimate * target).sum() / ((target**2).sum() + _EPSILON)
    scaled = scale * target
    error = ((estimate - scaled) ** 2).sum()
    return float(10 * np.log10((scaled**2).sum() / (error + _EPSILON) + _EPSILON))


def _magnitudes(x: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Return `[frames, bins]`: periodic Hann, hop 10 ms, centred, zeros beyond the ends."""
    padded = np.pad(x.astype(np.float64), _FFT_SIZE // 2)
    hop = max(1, round(_HOP_AT_44100 * rate / 44100))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SIZE)[::hop]
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(_FFT_SIZE + 1)[:-1], axis=1)))
