"""Measures of other people's libraries, each installed only by those who ask for it.

They see whole recordings, so what they are given is held in memory. A value that a library cannot
define (too short, silent, nobody speaks) is NaN.
"""

import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import soxr

from audiofix.audio.format import Chunk
from audiofix.errors import UsageError

_PESQ_RATE = 16000
_VISQOL_RATE = 48000


def stoi(estimate: Chunk, reference: Chunk, rate: int) -> float:
    """Return short-time objective intelligibility, 0 to 1, averaged over channels.

    Taal, Hendriks, Heusdens and Jensen, IEEE TASLP 19 (2011); by pystoi.
    """
    from pystoi import stoi as of_channel

    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=RuntimeWarning)
        try:
            pairs = zip(reference, estimate, strict=True)
            return float(np.mean([of_channel(clean, made, rate) for clean, made in pairs]))
        except RuntimeWarning:  # fewer than 30 frames with sound
            return np.nan


def pesq(estimate: Chunk, reference: Chunk, rate: int) -> float:
    """Return wide-band PESQ, about 1 to 4.64, at 16 kHz, averaged over channels.

    ITU-T P.862.2; by the package pesq.
    """
    from pesq import PesqError
    from pesq import pesq as of_channel

    clean, made = (_at_rate(x, rate, _PESQ_RATE) for x in (reference, estimate))
    if not clean.any() or not made.any():
        return np.nan
    try:
        pairs = zip(clean, made, strict=True)
        return float(np.mean([of_channel(_PESQ_RATE, x, y, "wb") for x, y in pairs]))
    except PesqError:
        return np.nan


def visqol(estimate: Chunk, reference: Chunk, rate: int) -> float:
    """Return ViSQOL's MOS-LQO in audio mode, 1 to 5, of the mono mix at 48 kHz.

    Chinen et al., "ViSQOL v3", QoMEX 2020; by visqol-python.
    """
    from visqol import VisqolApi

    visqol = VisqolApi()
    visqol.create(mode="audio")
    clean, made = (_at_rate(x, rate, _VISQOL_RATE).mean(axis=0) for x in (reference, estimate))
    try:
        return float(visqol.measure_from_arrays(clean, made, _VISQOL_RATE).moslqo)
    except ValueError:
        return np.nan


def loudness(estimate: Chunk, reference: Chunk, rate: int) -> float:
    """Return by how many LU the estimate is louder than the reference.

    Integrated loudness after ITU-R BS.1770-4; by pyloudnorm.
    """
    from pyloudnorm import Meter

    meter = Meter(rate)
    try:
        with np.errstate(divide="ignore"):
            levels = [meter.integrated_loudness(x.T) for x in (estimate, reference)]
    except ValueError:  # shorter than 0.4 s, or more than 5 channels
        return np.nan
    return float(levels[0] - levels[1]) if np.isfinite(levels).all() else np.nan


_EXTRA = "'audiofix[eval]'"
LIBRARIES: dict[str, tuple[Callable[[Chunk, Chunk, int], float], str, str]] = {
    "stoi": (stoi, "pystoi", _EXTRA),
    "pesq": (pesq, "pesq", _EXTRA),
    "visqol": (visqol, "visqol", "visqol-python"),
    "loudness": (loudness, "pyloudnorm", _EXTRA),
}
"""Metric -> function, the module it needs, and what `pip install` wants to hear."""


class WholeMeter:
    """Collects one stream for a measure that needs all of it."""

    def __init__(self, name: str, rate: int) -> None:
        """Collect for a metric of `LIBRARIES`."""
        self._name = name
        self._rate = rate
        self._chunks: list[tuple[Chunk, Chunk]] = []

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        self._chunks.append((estimate.copy(), reference.copy()))

    def values(self) -> dict[str, float]:
        """Return the measure, under its name."""
        if not self._chunks:
            return {self._name: np.nan}
        made, clean = (np.concatenate(rows, axis=1) for rows in zip(*self._chunks, strict=True))
        return {self._name: LIBRARIES[self._name][0](made, clean, self._rate)}


def installed(name: str) -> bool:
    """Return whether a metric can be computed: it needs no library, or its library is there."""
    return name not in LIBRARIES or find_spec(LIBRARIES[name][1]) is not None


def require(name: str) -> None:
    """Check that the library of a metric is installed.

    Raises:
        UsageError: it is not; the message says how to get it.
    """
    if not installed(name):
        raise UsageError(f"metric {name}: not installed: pip install {LIBRARIES[name][2]}")


def _at_rate(samples: Chunk, rate: int, wanted: int) -> Chunk:
    if rate == wanted:
        return samples
    found: Chunk = soxr.resample(samples.T, rate, wanted, "VHQ").T
    return found
