"""The packets that a code stream is made of: framing and checksums (docs/afc.md)."""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

MARKER = b"AFC1"
"""Begins every packet, and so the stream. A reader that has lost its way looks for it."""

_HEAD = struct.Struct("<4sBBHQHI")
_CHECK = struct.Struct("<I")
HEAD_BYTES = _HEAD.size + _CHECK.size
MOST_PAYLOAD_BYTES = (1 << 16) - 1
MOST_FRAMES = (1 << 16) - 1

END = struct.Struct("<QQ")
"""Payload of the last packet: exact samples, offset of the index packet (0: there is none)."""


class Kind(IntEnum):
    """What a packet holds. Readers pass over kinds that they do not know."""

    HEADER = 0
    CODES = 1
    INDEX = 2
    END = 3


class Coding(IntEnum):
    """How the codes of one packet are written."""

    PACKED = 0
    RANGE = 1
    """Reserved: early versions wrote it and none reads it any more."""


@dataclass(frozen=True, slots=True)
class PacketHead:
    """What stands before a payload.

    Attributes:
        kind: a `Kind`, or a number that later versions give a meaning.
        coding: a `Coding`, likewise.
        frames: frames in this packet.
        first: frames before this packet, whether or not they arrived.
        payload_bytes: bytes that follow.
        payload_check: their CRC-32.
    """

    kind: int
    coding: int
    frames: int
    first: int
    payload_bytes: int
    payload_check: int


def make_packet(
    kind: Kind,
    payload: bytes,
    *,
    first: int = 0,
    frames: int = 0,
    coding: Coding = Coding.PACKED,
    identity: bytes = b"",
) -> bytes:
    """Return a whole packet: head, check of the head, payload.

    Args:
        kind: of the packet.
        payload: at most `MOST_PAYLOAD_BYTES`.
        first: frames before it.
        frames: frames in it.
        coding: of its codes.
        identity: of the stream that it belongs to; nothing for a header.
    """
    head = _HEAD.pack(MARKER, kind, coding, frames, first, len(payload), zlib.crc32(payload))
    return head + _CHECK.pack(_head_check(head, identity)) + payload


def parse_head(head: bytes, identity: bytes = b"") -> PacketHead | None:
    """Return what the first `HEAD_BYTES` of a packet say.

    None if they are not whole, or belong to a stream of another identity.
    """
    if len(head) < HEAD_BYTES or not head.startswith(MARKER):
        return None
    (check,) = _CHECK.unpack_from(head, _HEAD.size)
    if _head_check(head[: _HEAD.size], identity) != check:
        return None
    return PacketHead(*_HEAD.unpack_from(head)[1:])


def _head_check(head: bytes, identity: bytes) -> int:
    return zlib.crc32(head, zlib.crc32(identity))


def is_whole(head: PacketHead, payload: bytes) -> bool:
    """Return whether `payload` is all of what `head` announces, and undamaged."""
    return len(payload) == head.payload_bytes and zlib.crc32(payload) == head.payload_check
