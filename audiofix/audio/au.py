"""Sun/NeXT AU headers, read and written without seeking."""

import struct

from audiofix.audio.bytestream import ByteStream
from audiofix.audio.format import AudioFormat
from audiofix.audio.pcm import Encoding
from audiofix.audio.wave import UNKNOWN_SIZE, Header, UnsupportedEncoding, check_layout
from audiofix.errors import InputError

_ENCODINGS = {
    1: Encoding("mulaw", 8),
    3: Encoding("signed", 16, True),
    4: Encoding("signed", 24, True),
    5: Encoding("signed", 32, True),
    6: Encoding("float", 32, True),
    7: Encoding("float", 64, True),
    27: Encoding("alaw", 8),
}
_CODES = {encoding: code for code, encoding in _ENCODINGS.items()}


def read_header(stream: ByteStream) -> Header:
    """Read up to the first sample.

    Raises:
        InputError: the header is cut, or says what cannot be.
        UnsupportedEncoding: the samples are compressed.
    """
    head = stream.read(24)
    if len(head) < 24:
        raise InputError("its AU header is cut: get the file again")
    _, offset, size, code, rate, channels = struct.unpack(">4sIIIII", head)
    if offset < 24:
        raise InputError("its AU header contradicts itself: get the file again")
    check_layout(rate, channels)
    if code not in _ENCODINGS:
        raise UnsupportedEncoding(f"AU encoding {code}")
    stream.skip(offset - 24)
    unknown = size == UNKNOWN_SIZE
    return Header(AudioFormat(rate, channels), _ENCODINGS[code], None if unknown else size)


def streaming_header(audio: AudioFormat, encoding: Encoding) -> bytes:
    """Return a header that says that the length is unknown."""
    code = _CODES[encoding]
    fields = (b".snd", 24, UNKNOWN_SIZE, code, audio.rate, audio.channels)
    return struct.pack(">4sIIIII", *fields)
