"""Ratios of a target's energy to an error's, in dB, over a stream."""

import numpy as np

from audiofix.audio.format import Chunk

_SMALLEST_ERROR = 1e-8
"""Norm of the error below which it counts as this much (NU-Wave 2 and VM-ASR)."""


class RatioMeter:
    """Accumulates the energies behind SNR and SI-SDR of one stream, in bounded memory.

    With the target t and the error d = estimate - t, per channel and then averaged:

        SNR    = 20 log10(|t| / max(|d|, 1e-8))
        SI-SDR = 20 log10(|a t| / max(|d - (a - 1) t|, 1e-8)),    a = 1 + <d, t> / <t, t>

    SNR as VM-ASR's code computes it (Zhang and Ruan, 2025); SI-SDR after Le Roux, Wisdom, Erdogan
    and Hershey, "SDR - half-baked or well done?", ICASSP 2019, equation 5, with the estimate
    written as t + d, so that small errors do not drown in the energy of t.
    """

    def __init__(self, channels: int) -> None:
        """Start a stream of so many channels."""
        self._target, self._error, self._cross = np.zeros((3, channels))

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        target = reference.astype(np.float64)
        error = estimate - target
        self._target += (target**2).sum(axis=1)
        self._error += (error**2).sum(axis=1)
        self._cross += (error * target).sum(axis=1)

    def values(self) -> dict[str, float]:
        """Return `snr` and `si-sdr` in dB; NaN where the reference or the estimate is silent."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = self._cross / self._target
            residual = np.maximum(self._error - share * self._cross, 0)
            snr = self._target / np.maximum(self._error, _SMALLEST_ERROR**2)
            si_sdr = (1 + share) ** 2 * self._target / np.maximum(residual, _SMALLEST_ERROR**2)
            found = {"snr": 10 * np.log10(snr).mean(), "si-sdr": 10 * np.log10(si_sdr).mean()}
        return {name: float(x) if np.isfinite(x) else np.nan for name, x in found.items()}
