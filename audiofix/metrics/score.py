"""Every metric by name, and all that are asked for over one stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.metrics.gaps import GapMeter, Spans
from audiofix.metrics.perceptual import LIBRARIES, WholeMeter, installed
from audiofix.metrics.ratios import RatioMeter
from audiofix.metrics.spectral import Definition, SpectralMeter


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is written and read."""

    title: str
    unit: str
    best: Literal["highest", "lowest", "nearest to 0"]
    digits: int
    """After the point, for people."""


METRICS: Mapping[str, Metric] = {
    "snr": Metric("SNR", "dB", "highest", 2),
    "si-sdr": Metric("SI-SDR", "dB", "highest", 2),
    "lsd": Metric("LSD", "", "lowest", 3),
    "lsd-hf": Metric("LSD-HF", "", "lowest", 3),
    "lsd-lf": Metric("LSD-LF", "", "lowest", 3),
    "rtf": Metric("RTF", "", "lowest", 4),
    "bitrate": Metric("Bit rate", "kbit/s", "lowest", 2),
    "delay": Metric("Delay", "ms", "nearest to 0", 2),
    "level": Metric("Level error", "dB", "lowest", 2),
    "seam": Metric("Seams", "dB", "lowest", 2),
    "stoi": Metric("STOI", "", "highest", 3),
    "pesq": Metric("PESQ", "MOS", "highest", 2),
    "visqol": Metric("ViSQOL", "MOS", "highest", 2),
    "loudness": Metric("Loudness", "LU", "nearest to 0", 2),
}
"""Name -> metric."""

DEFAULT = ("snr", "si-sdr", "lsd", "lsd-hf", "lsd-lf", "rtf")
GAP_DEFAULT = ("lsd", "si-sdr", "snr", "level", "seam", "rtf")
HEARD = ("pesq", "stoi", "visqol")
"""Those that say what listeners would; in every table where their libraries are installed."""

CODEC_DEFAULT = ("bitrate", "delay", "si-sdr", "lsd", "lsd-lf", "rtf")
ELSEWHERE = ("rtf", "bitrate", "delay")
"""Those that are measured where they happen: seconds of computing per second of sound, what codes
take, and how much later than its reference an estimate was."""

BANDED = ("lsd-hf", "lsd-lf")
"""Those that need to know where the input's band ends."""


def usual_metrics(kind: str) -> tuple[str, ...]:
    """Return what is measured unasked: what belongs to the kind, and `HEARD` where installed.

    Args:
        kind: `codec`, `inpainter`, whose gaps are too short for listeners, or anything else.
    """
    if kind == "inpainter":
        return GAP_DEFAULT
    usual = CODEC_DEFAULT if kind == "codec" else DEFAULT
    return usual + tuple(name for name in HEARD if installed(name))


class Meter(Protocol):
    """Measures one stream against its reference."""

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        ...

    def values(self) -> Mapping[str, float]:
        """Return the metrics over all that came; NaN where one is not defined."""
        ...


class Scorer:
    """Everything that is asked for about one stream."""

    def __init__(
        self,
        metrics: Sequence[str],
        audio: AudioFormat,
        definition: Definition,
        edge_hz: float | None,
        gaps: Spans | None = None,
    ) -> None:
        """Start a stream.

        Args:
            metrics: names in `METRICS`; those of `ELSEWHERE` are left to others.
            audio: format of estimate and reference.
            definition: of the log-spectral distances.
            edge_hz: where the input's band ends, for `lsd-hf` and `lsd-lf`.
            gaps: what alone is measured, if that is not everything.
        """
        self._metrics = [name for name in metrics if name not in ELSEWHERE]
        self._meters: list[Meter] = []
        if gaps:
            self._meters.append(GapMeter(gaps, audio, definition))
            return
        if {"snr", "si-sdr"} & set(metrics):
            self._meters.append(RatioMeter(audio.channels))
        if {"lsd", *BANDED} & set(metrics):
            edge = None if edge_hz is None else definition.edge_bin(edge_hz, audio.rate)
            self._meters.append(SpectralMeter(definition, audio.rate, audio.channels, edge))
        self._meters += [WholeMeter(name, audio.rate) for name in metrics if name in LIBRARIES]

    def push(self, estimate: Chunk, reference: Chunk) -> None:
        """Take in samples `[channels, n]` of both."""
        for meter in self._meters:
            meter.push(estimate, reference)

    def scores(self) -> dict[str, float]:
        """Return the metrics in the order they were asked for; NaN where one is not defined."""
        found = {name: x for meter in self._meters for name, x in meter.values().items()}
        return {name: found.get(name, float("nan")) for name in self._metrics}
