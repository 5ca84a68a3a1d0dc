"""What `audiofix info` tells of a stream of codes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiofix.audio.bytestream import ByteStream
    from audiofix.codes.reader import CodeReader

_MOST_GAPS_LISTED = 1000


@dataclass(frozen=True, slots=True)
class CodesReport:
    """What is printed of one stream of codes.

    Attributes:
        rate: samples per second of the sound that decoding gives back.
        model_rate: samples per second that the codec works at; `hop` counts those.
        samples: exact length at `rate`; None where the last packet is lost.
        seconds: of the sound; where the last packet is lost, of what arrived.
        bits_per_second: of the whole stream; `code_bits_per_second` is what bare codes take.
        damages: places where bytes had to be skipped.
        gaps: start and duration in seconds of what is missing, the first thousand.
    """

    name: str
    container: str
    model: str
    checkpoint: str
    rate: int
    model_rate: int
    channels: int
    hop: int
    codebooks: int
    bits: int
    frames: int
    samples: int | None
    seconds: float
    bits_per_second: float
    code_bits_per_second: float
    packets: int
    late_packets: int
    damages: int
    skipped_bytes: int
    lost_frames: int
    gap_count: int
    gaps: list[tuple[float, float]]
    tags: dict[str, list[str]]
    fault: str | None


def measure_codes(reader: "CodeReader", stream: "ByteStream") -> CodesReport:
    """Read codes to their end and say what they are.

    Args:
        reader: fresh.
        stream: what it reads from.
    """
    from audiofix.codes.reader import Gap

    layout, met = reader.layout, reader.integrity
    gaps: list[tuple[float, float]] = []
    for part in reader:
        if isinstance(part, Gap) and len(gaps) < _MOST_GAPS_LISTED:
            gaps.append((layout.seconds(part.first), layout.seconds(part.frames)))
    seconds = layout.seconds(reader.frames)
    if reader.samples is not None:
        seconds = reader.samples / layout.sound_rate
    return CodesReport(
        name=reader.name,
        container="afc",
        model=layout.model,
        checkpoint=layout.checkpoint,
        rate=layout.sound_rate,
        model_rate=layout.rate,
        channels=layout.channels,
        hop=layout.hop,
        codebooks=layout.codebooks,
        bits=layout.bits,
        frames=reader.frames,
        samples=reader.samples,
        seconds=seconds,
        bits_per_second=8 * stream.position / seconds if seconds else 0.0,
        code_bits_per_second=layout.bits_per_second,
        packets=met.packets,
        late_packets=met.late_packets,
        damages=met.damages,
        skipped_bytes=met.skipped_bytes,
        lost_frames=met.lost_frames,
        gap_count=met.gaps,
        gaps=gaps,
        tags=reader.tags,
        fault=str(reader.fault) if reader.fault else None,
    )


def codes_lines(report: CodesReport) -> list[tuple[str, str]]:
    """Return the lines for people: what is told, and its value."""
    from audiofix.codes.integrity import counted

    known = "unknown" if report.samples is None else str(report.samples)
    kilobits, bare = report.bits_per_second / 1000, report.code_bits_per_second / 1000
    packets = [f"{report.packets} whole"]
    if report.damages:
        damaged = f"{counted(report.skipped_bytes, 'byte')} damaged"
        packets.append(f"{damaged} in {counted(report.damages, 'place')}")
    if report.late_packets:
        packets.append(f"{report.late_packets} out of order")
    return [
        ("input", report.name),
        ("container", report.container),
        ("model", f"{report.model} ({report.checkpoint})"),
        ("rate", f"{report.rate} Hz"),
        ("channels", str(report.channels)),
        ("length", f"{known} samples, {clock(report.seconds)}"),
        ("codes", f"{report.codebooks} codebooks of {report.bits} bits, {report.frames} frames"),
        ("bitrate", f"{kilobits:.3f} kbit/s ({bare:.3f} of bare codes)"),
        ("packets", ", ".join(packets)),
        ("gaps", f"{report.gap_count}, {counted(report.lost_frames, 'frame')} lost"),
        *((name, "; ".join(values)) for name, values in sorted(report.tags.items())),
    ]


def clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds.

    >>> clock(3661.5)
    '1:01:01.500'
    """
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:.0f}:{minutes:02.0f}:{left:06.3f}"
