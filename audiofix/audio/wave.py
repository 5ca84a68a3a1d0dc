"""RIFF, RIFX and RF64 headers, read and written without seeking (RFC 2361, EBU Tech 3306)."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from audiofix.audio.bytestream import ByteStream
from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.pcm import Encoding, SampleEncoder
from audiofix.errors import InputError

UNKNOWN_SIZE = 0xFFFFFFFF
_LARGEST_KNOWN = 0x7FFFF000
"""sox streams sizes from here up, ffmpeg 0xFFFFFFFF; both mean that nobody knows."""
_HEADER_LIMIT = 64 << 20
"""Bytes of chunks, cover pictures among them, that may come before the samples."""
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_EXTENSIBLE_TAIL = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says of the samples that follow it."""

    audio: AudioFormat
    encoding: Encoding
    data_bytes: int | None
    """Bytes of samples; None means until the end."""


class UnsupportedEncoding(Exception):
    """The header is in order, but its samples are compressed: another reader's work."""


def read_header(stream: ByteStream) -> Header:
    """Read up to the first sample.

    Raises:
        InputError: the header is cut, or says what cannot be.
        UnsupportedEncoding: the samples are neither PCM nor G.711.
    """
    magic, riff_size, _ = struct.unpack("4s4s4s", stream.read(12))
    order = ">" if magic == b"RIFX" else "<"
    riff_bytes = int.from_bytes(riff_size, "big" if order == ">" else "little")
    layout: tuple[AudioFormat, Encoding] | None = None
    long_size: int | None = None
    while True:
        chunk = stream.read(8)
        if len(chunk) < 8 or stream.position > _HEADER_LIMIT:
            raise InputError("its WAV header ends before the samples: get the file again")
        name, size = struct.unpack(f"{order}4sI", chunk)
        if name == b"data":
            break
        if name == b"fmt ":
            layout = _layout(stream.read(min(size, 1 << 12)), order)
            stream.skip(size - min(size, 1 << 12) + size % 2)
        elif name == b"ds64" and size >= 24:
            sizes = stream.read(24)
            if len(sizes) < 24:
                raise InputError("its WAV header ends before the samples: get the file again")
            long_size = struct.unpack(f"{order}8xQ8x", sizes)[0]
            stream.skip(size - 24 + size % 2)
        else:
            stream.skip(size + size % 2)
    if layout is None:
        raise InputError("its WAV header has no fmt chunk: get the file again")
    if size == UNKNOWN_SIZE and long_size:
        return Header(*layout, long_size)
    unknown = size >= _LARGEST_KNOWN or (size == 0 and riff_bytes != stream.position - 8)
    return Header(*layout, None if unknown else size)


def _layout(body: bytes, order: str) -> tuple[AudioFormat, Encoding]:
    if len(body) < 16:
        raise InputError("its WAV header has a fmt chunk that is too short: get the file again")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from(f"{order}HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 40:
        tag = struct.unpack_from(f"{order}H", body, 24)[0]
    check_layout(rate, channels)
    if tag not in (_PCM, _FLOAT, _ALAW, _MULAW):
        raise UnsupportedEncoding(f"format tag {tag:#06x}")
    # Samples of odd widths (12, 20 bits) lie left-aligned in whole bytes.
    width = 8 * -(-bits // 8)
    encodings = {
        (_PCM, 8): Encoding("unsigned", 8),
        (_ALAW, 8): Encoding("alaw", 8),
        (_MULAW, 8): Encoding("mulaw", 8),
        **{(_PCM, n): Encoding("signed", n, order == ">") for n in (16, 24, 32)},
        **{(_FLOAT, n): Encoding("float", n, order == ">") for n in (32, 64)},
    }
    if (tag, width) not in encodings:
        raise InputError(f"its WAV header asks for {bits} bits a sample: convert it with sox first")
    encoding = encodings[tag, width]
    if frame_bytes != channels * encoding.bytes:
        raise InputError(
            f"its WAV header contradicts itself ({frame_bytes} bytes for {channels} samples of "
            f"{bits} bits): get the file again"
        )
    return AudioFormat(rate, channels), encoding


def is_compressed(head: bytes) -> bool:
    """Tell by its first 22 bytes a RIFF file whose samples are neither PCM nor G.711."""
    known = (_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE)
    return head[:4] == b"RIFF" and head[12:16] == b"fmt " and _tag_of(head) not in known


def _tag_of(head: bytes) -> int:
    return int.from_bytes(head[20:22], "little")


MOST_CHANNELS = 256
_MOST_RATE = 1_000_000
"""Samples per second: bats need a quarter of it."""


def check_layout(rate: int, channels: int) -> None:
    """Refuse headers that no recording has.

    Raises:
        InputError: the rate is 0 or more than a million, or the channels are none or more than
            `MOST_CHANNELS`.
    """
    if rate < 1:
        raise InputError("its header says 0 samples per second: get the file again")
    if rate > _MOST_RATE:
        raise InputError(f"its header says {rate} samples per second: no recording has: mend it")
    if not 1 <= channels <= MOST_CHANNELS:
        raise InputError(f"its header says {channels} channels: 1 to {MOST_CHANNELS} are supported")


class WaveWriter:
    """Writes WAV to any stream; where the stream can seek, the sizes come true at the end."""

    def __init__(
        self, stream: BinaryIO, audio: AudioFormat, encoder: SampleEncoder, *, seekable: bool
    ) -> None:
        """Prepare the header. A seekable file becomes RF64 when it outgrows 4 GiB."""
        self._stream = stream
        self._audio = audio
        self._encoder = encoder
        self._seekable = seekable
        self._start = stream.tell() if seekable else 0
        self._data_bytes = 0
        # It goes out with the first samples: sox rejects a pipe whose first read gives only it.
        self._waiting = self._header(None)

    def write(self, chunk: Chunk) -> None:
        """Append samples."""
        data = self._encoder.encode(chunk)
        self._data_bytes += len(data)
        self._stream.write(self._waiting + data)
        self._waiting = b""

    def finish(self) -> None:
        """Pad to a whole word and put the true sizes in."""
        self._stream.write(self._waiting)
        if not self._seekable:
            return
        if self._data_bytes % 2:
            self._stream.write(b"\0")
        self._stream.seek(self._start)
        self._stream.write(self._header(self._data_bytes))
        self._stream.seek(0, 2)

    def _header(self, data_bytes: int | None) -> bytes:
        format_chunk = self._format_chunk()
        facts = b""
        frame = self._audio.channels * self._encoder.encoding.bytes
        if self._encoder.encoding.kind != "signed" and self._encoder.encoding.kind != "unsigned":
            frames = UNKNOWN_SIZE if data_bytes is None else min(data_bytes // frame, UNKNOWN_SIZE)
            facts = struct.pack("<4sII", b"fact", 4, frames)
        reserve = 28 + 8 if self._seekable else 0
        body = 4 + reserve + len(format_chunk) + len(facts) + 8
        total = None if data_bytes is None else body + data_bytes + data_bytes % 2
        long = total is not None and total >= UNKNOWN_SIZE
        riff = UNKNOWN_SIZE if total is None or long else total
        data = UNKNOWN_SIZE if data_bytes is None or long else data_bytes
        header = struct.pack("<4sI4s", b"RF64" if long else b"RIFF", riff, b"WAVE")
        if long:
            header += struct.pack(
                "<4sIQQQI", b"ds64", 28, total, data_bytes, (data_bytes or 0) // frame, 0
            )
        elif reserve:
            header += struct.pack("<4sI28x", b"JUNK", 28)
        return header + format_chunk + facts + struct.pack("<4sI", b"data", data)

    def _format_chunk(self) -> bytes:
        encoding, audio = self._encoder.encoding, self._audio
        tags = {"float": _FLOAT, "mulaw": _MULAW, "alaw": _ALAW}
        tag = tags.get(encoding.kind, _PCM)
        frame = audio.channels * encoding.bytes
        # More than two channels or than 16 integer bits must be extensible (Microsoft, 2001).
        extensible = audio.channels > 2 or (tag == _PCM and encoding.bits > 16)
        body = struct.pack(
            "<HHIIHH",
            _EXTENSIBLE if extensible else tag,
            audio.channels,
            audio.rate,
            audio.rate * frame,
            frame,
            encoding.bits,
        )
        if extensible:
            body += struct.pack("<HHIH", 22, encoding.bits, 0, tag) + _EXTENSIBLE_TAIL
        elif tag != _PCM:
            body += struct.pack("<H", 0)
        return struct.pack("<4sI", b"fmt ", len(body)) + body
