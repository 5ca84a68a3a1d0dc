"""Log-spectral distance over a stream, in the definitions that papers use.

Per frame, the root of the mean over bins of the squared difference of log powers; then the mean
over frames and channels. Definitions differ in the transform, the logarithm and what keeps it from
zero, so that their figures cannot be compared; each is printed beside its numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import Chunk
from audiofix.errors import InputError

_BATCH_FRAMES = 128
"""Frames transformed at once: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of the log-spectral distance.

    With the powers P = |STFT|^2 (periodic Hann as long as the transform, centred, not normalised)
    of estimate and reference, the difference of a bin is `scale` times

        log10 max(P_e, epsilon) - log10 max(P_r, epsilon), or, where `ratio`,
        log10(P_r / (sqrt(P_e) + epsilon)^2 + epsilon)

    Attributes:
        source: whose definition it is.
        fft_size: samples of a transform.
        hop: samples between frames, less than half of `fft_size`.
        at_rate: where `fft_size` and `hop` hold; they scale with the rate. None: at every rate.
        scale: 1 gives powers of ten, 10 gives dB.
        epsilon: what keeps the logarithm from zero.
        ratio: which of the two formulas.
        padding: what lies beyond the ends: `reflect` or `constant`, which is zeros.
        edge_fft_size: the transform whose bins the band edge is counted in; None for the own one.
    """

    name: str
    source: str
    fft_size: int = 2048
    hop: int = 512
    at_rate: int | None = None
    scale: float = 1.0
    epsilon: float = 1e-8
    ratio: bool = False
    padding: str = "reflect"
    edge_fft_size: int | None = None

    def sizes(self, rate: int) -> tuple[int, int]:
        """Return transform size and hop in samples."""
        if self.at_rate is None:
            return self.fft_size, self.hop
        return self.fft_size * rate // self.at_rate, self.hop * rate // self.at_rate

    def edge_bin(self, edge_hz: float, rate: int) -> int:
        """Return the first bin of the high band."""
        if self.edge_fft_size is not None:
            return int((1 + self.edge_fft_size // 2) * edge_hz / (rate / 2))
        return int(np.ceil(edge_hz * self.sizes(rate)[0] / rate))

    def settings(self, rate: int) -> dict[str, object]:
        """Return what a reader needs to compute the same: transform, window, logarithm, epsilon."""
        fft_size, hop = self.sizes(rate)
        formula = "log10(P_r / (sqrt(P_e) + eps)^2 + eps)" if self.ratio else (
            f"{'10 ' if self.scale == 10 else ''}log10(max(P, eps)), estimate less reference"
        )  # fmt: skip
        edge = f"in bins of {self.edge_fft_size} points" if self.edge_fft_size else "in Hz"
        return {
            "preset": self.name,
            "n_fft": fft_size,
            "hop": hop,
            "window": "periodic hann",
            "padding": self.padding,
            "log_base": 10,
            "unit": "dB" if self.scale == 10 else "powers of ten",
            "epsilon": self.epsilon,
            "difference": formula,
            "band_edge": edge,
            "source": self.source,
        }


_PRESETS = (
    Definition("standard", "NU-Wave 2 (2022), AERO (2023), VM-ASR (2025); band edge in Hz"),
    Definition(
        # The edge is an index into 513 bins, used on 1025: the low band ends at half the input's.
        "halved-edge",
        "VM-ASR as published (Zhang and Ruan, 2025): lsd-lf ends at half the input's band",
        edge_fft_size=1024,
    ),
    Definition(
        "ssr-eval",
        "ssr_eval, NVSR (Liu et al., 2022) and works after it",
        hop=441,
        at_rate=44100,
        epsilon=1e-12,
        ratio=True,
        padding="constant",
    ),
    Definition("decibel", "Gray and Markel (1976), on the standard transform", scale=10.0),
)
DEFINITIONS: Mapping[str, Definition] = {preset.name: preset for preset in _PRESETS}
"""Name -> definition; the first is the default."""


class SpectralMeter:
    """Accumulates `lsd`, and `lsd-lf` and `lsd-hf` below and above an edge, of one stream."""

    def __init__(
        self, definition: Definition, rate: int, channels: int, edge_bin: int | None = None
    ) -> None:
        """Start a stream.

        Args:
            definition: which distance.
            rate: samples per second.
            channels: rows of every chunk.
            edge_bin: first bin of the high band; None leaves the two bands out.

        Raises:
            InputError: a definition that scales with the rate has no transform for this one.
        """
        self._definition = definition
        self._fft_size, self._hop = definition.sizes(rate)
        if self._hop < 1:
            raise InputError(f"{rate} Hz: too low for log-spectral distances: leave them out")
        self._window = np.hanning(self._fft_size + 1)[:-1]
        self._bands = {"lsd": slice(None)}
        bins = self._fft_size // 2 + 1
        if edge_bin is not None and 0 < edge_bin < bins:
            self._bands |= {"lsd-hf": slice(edge_bin, None), "lsd-lf": slice(edge_bin)}
        self._held = np.zeros((2, channels, 0))
        self._begun = False
        self._frames = 0
        self._sums = np.zeros(len(self._bands))

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        self._held = np.concatenate([self._held, np.stack([estimate, reference])], axis=2)
        if not self._begun:
            if self._held.shape[2] <= self._fft_size // 2:
                return  # the reflection of the beginning needs as much
            self._held = self._padded(self._held, before=True)
            self._begun = True
        count = self._count(self._held)
        self._sums += self._distances(self._held, count)
        self._frames += count
        self._held = self._held[:, :, count * self._hop :]

    def values(self) -> dict[str, float]:
        """Return the distances over all that came; NaN where nothing came."""
        if not self._begun and not self._held.shape[2]:
            return dict.fromkeys(self._bands, np.nan)
        rest = self._held if self._begun else self._padded(self._held, before=True)
        rest = self._padded(rest, before=False)
        count = self._count(rest)
        sums = (self._sums + self._distances(rest, count)) / (self._frames + count)
        return dict(zip(self._bands, map(float, sums), strict=True))

    def _padded(self, samples: NDArray[np.float64], *, before: bool) -> NDArray[np.float64]:
        half = self._fft_size // 2
        widths = [(0, 0), (0, 0), (half, 0) if before else (0, half)]
        if self._definition.padding == "constant":
            return np.pad(samples, widths)
        return np.pad(samples, widths, mode="reflect")

    def _count(self, samples: NDArray[np.float64]) -> int:
        length: int = samples.shape[2]
        return max(0, (length - self._fft_size) // self._hop + 1)

    def _distances(self, samples: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Return the sum over the first `count` frames of each band's distance."""
        sums = np.zeros(len(self._bands))
        if not count:
            return sums
        views = np.lib.stride_tricks.sliding_window_view(samples, self._fft_size, axis=2)
        frames = views[:, :, : count * self._hop : self._hop]
        for start in range(0, count, _BATCH_FRAMES):
            spectra = np.fft.rfft(frames[:, :, start : start + _BATCH_FRAMES] * self._window)
            square = self._difference(*(np.abs(spectra) ** 2)) ** 2
            for index, band in enumerate(self._bands.values()):
                sums[index] += np.sqrt(square[..., band].mean(axis=2)).mean(axis=0).sum()
        return sums

    def _difference(
        self, estimate: NDArray[np.float64], reference: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        epsilon = self._definition.epsilon
        if self._definition.ratio:
            quotient = reference / (np.sqrt(estimate) + epsilon) ** 2
            found: NDArray[np.float64] = np.log10(quotient + epsilon)
        else:
            found = np.log10(np.maximum(estimate, epsilon) / np.maximum(reference, epsilon))
        return self._definition.scale * found
