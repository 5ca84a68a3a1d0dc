"""The table at the end of a stream that says where its packets begin."""

import struct
from bisect import bisect_right
from typing import BinaryIO, NamedTuple

from audiofix.codes.packet import (
    END,
    HEAD_BYTES,
    MOST_PAYLOAD_BYTES,
    Kind,
    PacketHead,
    is_whole,
    parse_head,
)

_ENTRY = struct.Struct("<QQ")
_MOST_ENTRIES = MOST_PAYLOAD_BYTES // _ENTRY.size
_FIRST_STRIDE = 16


class Entry(NamedTuple):
    """Where the packet that begins with frame `first` lies, in bytes from the stream's start."""

    first: int
    offset: int


class IndexBuilder:
    """Notes where every so many packets begin, in bounded memory: a full table is thinned out."""

    def __init__(self) -> None:
        """Begin with every 16th packet."""
        self._entries: list[Entry] = []
        self._stride = _FIRST_STRIDE
        self._packets = 0

    def add(self, first: int, offset: int) -> None:
        """Note the next packet of codes."""
        if self._packets % self._stride == 0:
            if len(self._entries) == _MOST_ENTRIES:
                # An odd number of entries: the last one stays, and this one would follow at
                # half the new distance.
                self._entries = self._entries[::2]
                self._stride *= 2
            if self._packets % self._stride == 0:
                self._entries.append(Entry(first, offset))
        self._packets += 1

    def payload(self) -> bytes:
        """Return the table: two unsigned 64-bit numbers for each entry, frame and offset."""
        return b"".join(_ENTRY.pack(*entry) for entry in self._entries)


def find(file: BinaryIO, frame: int, identity: bytes = b"") -> Entry | None:
    """Return the last indexed packet that begins at or before `frame`.

    Args:
        file: the stream, from the beginning of a file that can seek. Its position is changed.
        frame: counted from 0.
        identity: of the stream.

    Returns:
        None where the stream has no index, or a damaged one.
    """
    size = file.seek(0, 2)
    end_at = max(0, size - HEAD_BYTES - END.size)
    end = _packet_at(file, end_at, Kind.END, identity)
    if end is None or len(end[1]) != END.size:
        return None
    _, index_offset = END.unpack(end[1])
    if index_offset >= size:
        return None
    index = _packet_at(file, index_offset, Kind.INDEX, identity)
    if index is None or len(index[1]) % _ENTRY.size:
        return None
    entries = [Entry(*numbers) for numbers in _ENTRY.iter_unpack(index[1])]
    at = bisect_right(entries, frame, key=lambda entry: entry.first)
    return entries[at - 1] if at and entries[at - 1].offset < end_at else None


def _packet_at(
    file: BinaryIO, offset: int, kind: Kind, identity: bytes
) -> tuple[PacketHead, bytes] | None:
    file.seek(offset)
    head = parse_head(file.read(HEAD_BYTES), identity)
    if head is None or head.kind != kind:
        return None
    payload = file.read(head.payload_bytes)
    return (head, payload) if is_whole(head, payload) else None
