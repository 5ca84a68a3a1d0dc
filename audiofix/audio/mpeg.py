"""Whether an MP3 file says how long it is: the Xing, Info or VBRI tag of its first frame."""

from typing import BinaryIO

_TAG_REACH = 200
"""The tag lies within the first frame: 4 bytes header, up to 32 of side information, ..."""

_TAGS = (b"Xing", b"Info", b"VBRI")
_ENCODER_OFFSET, _ENCODER_BYTES = 120, 9
"""Where LAME's extension of the tag, behind flags, counts, seek table and quality, names it."""

_SEARCH_BYTES = 1 << 16
"""Encoders pad between an ID3 tag and the first frame."""


def states_length(file: BinaryIO) -> bool:
    """Return whether the first frame of the MP3 `file` holds a length; the position moves."""
    reach = _first_frame(file)[:_TAG_REACH]
    return any(tag in reach for tag in _TAGS)


def encoder_of(file: BinaryIO) -> str:
    """Return the program that an Xing or Info tag names, `LAME3.100`, or an empty word."""
    frame = _first_frame(file)
    for tag in (b"Xing", b"Info"):
        at = frame[:_TAG_REACH].find(tag)
        if at >= 0:
            name = frame[at + _ENCODER_OFFSET :][:_ENCODER_BYTES].rstrip(b"\0 ")
            return name.decode("ascii") if name.isascii() and name.strip() else ""
    return ""


def _first_frame(file: BinaryIO) -> bytes:
    """Return what the file holds from its first frame on, some KB of it."""
    file.seek(0)
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:
        # The size is four bytes of seven bits (ID3v2.4, section 3.1); a footer adds ten bytes.
        size = int("".join(f"{byte & 0x7F:07b}" for byte in head[6:]), 2)
        start = 10 + size + (10 if head[5] & 0x10 else 0)
    file.seek(start)
    block = file.read(_SEARCH_BYTES)
    frame = next(
        (at for at in range(len(block) - 1) if block[at] == 0xFF and block[at + 1] >= 0xE0), 0
    )
    return block[frame:]
