"""Core Audio Format headers, read without seeking (Apple, Core Audio Format Specification 1.0)."""

import math
import struct

from audiofix.audio.bytestream import ByteStream
from audiofix.audio.format import AudioFormat
from audiofix.audio.pcm import HEADERLESS, Encoding, Kind
from audiofix.audio.wave import Header, check_layout
from audiofix.errors import InputError

_FLOAT, _LITTLE_ENDIAN = 1, 2
_KINDS: dict[bytes, Kind] = {b"ulaw": "mulaw", b"alaw": "alaw"}


def is_uncompressed(head: bytes) -> bool:
    """Return whether the first 64 bytes of a CAF file promise samples that `read_header` knows."""
    return head[8:12] == b"desc" and head[28:32] in (b"lpcm", *_KINDS)


def read_header(stream: ByteStream) -> Header:
    """Read up to the first sample. A writer to a pipe leaves the size -1 or 0: until the end.

    Raises:
        InputError: the header is cut, or says what cannot be.
    """
    stream.skip(8)
    layout: tuple[AudioFormat, Encoding] | None = None
    while True:
        chunk = stream.read(12)
        if len(chunk) < 12:
            raise InputError("its CAF header ends before the samples: get the file again")
        name, size = struct.unpack(">4sq", chunk)
        if name == b"data":
            break
        if size < 0:
            raise InputError("its CAF header contradicts itself: get the file again")
        body = stream.read(32) if name == b"desc" and size >= 32 else b""
        layout = _layout(body) if body else layout
        stream.skip(size - len(body))
    if layout is None:
        raise InputError("its CAF header does not describe the samples: get the file again")
    stream.skip(4)  # the edit count
    return Header(*layout, size - 4 if size >= 4 else None)


def _layout(body: bytes) -> tuple[AudioFormat, Encoding]:
    if len(body) < 32:
        raise InputError("its CAF header is cut: get the file again")
    rate, kind, flags, _, _, channels, bits = struct.unpack(">d4sIIIII", body)
    check_layout(round(rate) if math.isfinite(rate) else 0, channels)
    width = 8 * -(-bits // 8)
    encoding = (
        Encoding(_KINDS[kind], 8)
        if kind in _KINDS
        else Encoding("float" if flags & _FLOAT else "signed", width, not flags & _LITTLE_ENDIAN)
    )
    if encoding not in HEADERLESS.values():
        raise InputError(f"its CAF header asks for {bits}-bit samples: convert it by sox")
    return AudioFormat(round(rate), channels), encoding
