"""Code streams for tests: made, cut into packets, and read to their ends."""

import io
from dataclasses import replace

import numpy as np

from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.packet import HEAD_BYTES, Kind, PacketHead, make_packet, parse_head
from audiofix.codes.reader import CodeReader, Gap, Packet
from audiofix.codes.writer import CodeWriter

IDENTITY = b"8 bytes!"
LAYOUT = CodeLayout("audiodec-test", "0123456789abcdef", 48000, 1, 300, 8, 10)
STEREO = replace(LAYOUT, channels=2)


class Dribble:
    """A pipe whose reads are short."""

    def __init__(self, content: bytes, most: int) -> None:
        self._file = io.BytesIO(content)
        self._most = most

    def read(self, count: int) -> bytes:
        return self._file.read(min(count, self._most))


def random_codes(layout: CodeLayout, frames: int, seed: int = 0) -> Codes:
    """Return codes of which many repeat."""
    rng = np.random.default_rng(seed)
    shape = (layout.channels, frames, layout.codebooks)
    codes = rng.integers(0, 1 << layout.bits, shape).astype(np.uint16)
    kept = rng.random(shape) < 0.4
    for frame in range(1, frames):
        codes[:, frame][kept[:, frame]] = codes[:, frame - 1][kept[:, frame]]
    return codes


def written(layout: CodeLayout, codes: Codes, samples: int | None = None, **options) -> bytes:
    """Return a whole stream; `samples` is as many as fit unless told."""
    file = io.BytesIO()
    writer = CodeWriter(file, layout, **{"identity": IDENTITY, **options})
    writer.write(codes)
    writer.finish(layout.most_samples(codes.shape[1]) if samples is None else samples)
    return file.getvalue()


def own_packet(kind: int, payload: bytes, **options) -> bytes:
    """Return a packet of the streams that `written` makes."""
    identity = b"" if kind == Kind.HEADER else IDENTITY
    return make_packet(kind, payload, identity=identity, **options)


def head_of(packet: bytes, identity: bytes = IDENTITY) -> PacketHead:
    """Return the head of a whole packet."""
    return parse_head(packet[:HEAD_BYTES], identity) or parse_head(packet[:HEAD_BYTES])


def packets_of(stream: bytes, identity: bytes = IDENTITY) -> list[bytes]:
    """Cut an undamaged stream into its packets."""
    packets = []
    while stream:
        size = HEAD_BYTES + head_of(stream, identity).payload_bytes
        packets.append(stream[:size])
        stream = stream[size:]
    return packets


def read_all(reader: CodeReader) -> tuple[list[Packet], list[Gap]]:
    """Read to the end; hold the reader to its promise that nothing is skipped in silence."""
    packets, gaps, frames = [], [], 0
    for part in reader:
        assert part.first == frames
        frames += part.frames
        (gaps if isinstance(part, Gap) else packets).append(part)
    assert reader.frames == frames
    assert len(packets) == reader.integrity.packets
    assert sum(gap.frames for gap in gaps) == reader.integrity.lost_frames
    return packets, gaps


def joined(packets: list[Packet], layout: CodeLayout) -> Codes:
    """Return the codes of all packets, one after another."""
    nothing = np.empty((layout.channels, 0, layout.codebooks), np.uint16)
    return np.concatenate([nothing, *(packet.codes for packet in packets)], axis=1)
