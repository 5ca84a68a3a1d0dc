"""Read a code stream, from a file or a pipe, whole or damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from audiofix.audio.bytestream import ByteStream
from audiofix.codes import index
from audiofix.codes.header import read_header
from audiofix.codes.integrity import Integrity
from audiofix.codes.layout import Codes
from audiofix.codes.packet import (
    END,
    HEAD_BYTES,
    MARKER,
    MOST_PAYLOAD_BYTES,
    Coding,
    Kind,
    PacketHead,
    is_whole,
    parse_head,
)
from audiofix.codes.payload import decode_payload
from audiofix.errors import InputError

_HEADER_WITHIN = 4 * (HEAD_BYTES + MOST_PAYLOAD_BYTES)
"""Bytes in which a header must come: both copies of the longest, and as much again."""
MAX_GAP_SECONDS = 60.0
"""Silence for missing packets, in total, unless more is asked for: a packet that claims hours to be
missing before it would fill the disk."""


class Readable(Protocol):
    """What codes are read from."""

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes, none only at the end."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """Frames that arrived whole.

    Attributes:
        first: frames before this packet, missing ones counted.
        codes: `[channels, frames, codebooks]`.
    """

    first: int
    codes: Codes

    @property
    def frames(self) -> int:
        """Frames in this packet."""
        return int(self.codes.shape[1])


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that are missing. Who decodes fills them, so that everything after stays in time."""

    first: int
    frames: int


class CodeReader:
    """One code stream. Iterate over it once: it yields packets and gaps in order, without holes.

    Attributes:
        name: what messages call it.
        layout: what the codes are.
        tags: title, artist, ... of the recording.
        frames: frames so far, missing ones counted.
        samples: exact length of the sound, at `layout.sound_rate`, per channel; None until the
            last packet was read, and for ever if it is lost.
        integrity: what was whole and what was not, so far.
        fault: after the end, what was wrong with the stream. What was yielded is good all the same.
    """

    def __init__(
        self, stream: Readable, name: str = "codes", *, max_gap_seconds: float = MAX_GAP_SECONDS
    ) -> None:
        """Read the header.

        Args:
            stream: anything with `read(count)`; short reads are asked again. It stays open.
            name: what messages call it.
            max_gap_seconds: the most that may be missing in total; packets after more are left out.

        Raises:
            InputError: these are not codes, or both copies of the header are damaged.
        """
        self.name = name
        self.frames = 0
        self.samples: int | None = None
        self.integrity = Integrity()
        self.fault: InputError | None = None
        self._raw = cast(BinaryIO, stream)
        self._stream = ByteStream(self._raw, None)
        self._in_damage = False
        self._end: tuple[int, int] | None = None
        self._max_gap_seconds = max_gap_seconds
        self._identity = b""
        self._header = self._find_header()
        try:
            header = read_header(self._header)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        self.layout, self.tags, self._identity = header.layout, header.tags, header.identity

    def __iter__(self) -> Iterator[Packet | Gap]:
        """Yield what arrived and what is missing, until nothing follows.

        Raises:
            InputError: its codes are range-coded, or it cannot be read any further for a reason
                outside it.
        """
        while not self.integrity.ended and (found := self._next_packet()):
            head, payload = found
            if head.kind == Kind.CODES:
                yield from self._codes(head, payload)
            elif head.kind == Kind.END:
                self._note_end(head, payload)
            elif head.kind == Kind.HEADER and payload != self._header:
                break  # Another recording: its codes mean something else.
        if self._end:
            total, self.samples = self._end
            yield from self._gap(total)
            self.integrity.ended = True
        if faults := self.integrity.faults(self.layout, self.frames):
            self.fault = InputError(f"{self.name}: {', '.join(faults)}: get the file again")

    def seek(self, frame: int) -> int:
        """Go to the packet that holds `frame`, or some way before it, before or amid iteration.

        With the index at the stream's end this reads three packets; without one it goes back to
        the start. Iterate anew afterwards.

        Args:
            frame: counted from 0.

        Returns:
            The first frame of the packet that comes next, at most `frame`.

        Raises:
            InputError: the stream cannot seek: only one at the beginning of an open file can.
        """
        try:
            entry = index.find(self._raw, frame, self._identity) or index.Entry(0, 0)
            self._raw.seek(entry.offset)
        except (AttributeError, OSError) as error:
            raise InputError(f"{self.name}: cannot seek: save it to a file first") from error
        self._stream = ByteStream(self._raw, None)
        self.frames, self.samples, self._end = entry.first, None, None
        self.integrity, self.fault, self._in_damage = Integrity(), None, False
        return entry.first

    def _find_header(self) -> bytes:
        begins_well = self._peek(len(MARKER)) == MARKER
        while found := self._next_packet(_HEADER_WITHIN):
            head, payload = found
            if head.kind == Kind.HEADER:
                return payload
            begins_well = True
        if begins_well:
            raise InputError(f"{self.name}: its header is damaged: get the file again")
        raise InputError(f"{self.name}: not audiofix codes: `audiofix encode` makes them")

    def _codes(self, head: PacketHead, payload: bytes) -> Iterator[Packet | Gap]:
        if head.first < self.frames:
            self.integrity.late_packets += 1
            return
        if head.coding == Coding.RANGE:
            raise InputError(
                f"{self.name}: written by an early version (range-coded): encode the sound again"
            )
        try:
            codes = decode_payload(payload, head, self.layout)
        except InputError:
            codes = None
        if codes is None or not self._may_reach(head.first, head.frames):
            self._refuse(payload)
            return
        yield from self._gap(head.first)
        self.frames += head.frames
        self.integrity.packets += 1
        yield Packet(head.first, codes)
        if self._end and self._end[0] == self.frames:
            self.integrity.ended = True

    def _may_reach(self, first: int, frames: int) -> bool:
        """Return whether so much can be missing before a packet."""
        if self._end and first + frames > self._end[0]:
            return False
        missing = self.integrity.lost_frames + first - self.frames
        if self.layout.seconds(missing) > self._max_gap_seconds and first > self.frames:
            self.integrity.beyond_max_gap = True
            return False
        return True

    def _gap(self, first: int) -> Iterator[Gap]:
        missing = first - self.frames
        if missing:
            gap = Gap(self.frames, missing)
            self.frames = first
            self.integrity.gaps += 1
            self.integrity.lost_frames += missing
            yield gap

    def _note_end(self, head: PacketHead, payload: bytes) -> None:
        """Believe the last packet if it can be true. Where frames are missing they may yet come."""
        samples = END.unpack(payload)[0] if len(payload) == END.size else None
        if (
            samples is None
            or self._end
            or head.first < self.frames
            or not self._may_reach(head.first, 0)
            or samples > self.layout.most_samples(head.first)
        ):
            self._refuse(payload)
            return
        self._end = (head.first, samples)
        if head.first == self.frames:
            self.integrity.ended = True
            self.integrity.followed = bool(self._peek(1))

    def _next_packet(self, within: int | None = None) -> tuple[PacketHead, bytes] | None:
        """Return the next packet whose checksums hold, None at the end or after `within` bytes."""
        stream = self._stream
        while ahead := self._peek(HEAD_BYTES):
            if within is not None and stream.position >= within:
                return None
            head = parse_head(ahead, self._identity)
            if head is None and (begun := parse_head(ahead)) and begun.kind == Kind.HEADER:
                head = begun  # no identity is in the check of a header: it tells it
            if head:
                whole = self._peek(HEAD_BYTES + head.payload_bytes)
                payload = whole[HEAD_BYTES:]
                if is_whole(head, payload):
                    stream.read(len(whole))
                    self._in_damage = False
                    return head, payload
            # Only up to the next marker, even if the head was whole: the length that it gives
            # does not hold where bytes were lost.
            self._skipped(len(stream.read(_bytes_to_marker(ahead))))
        return None

    def _peek(self, count: int) -> bytes:
        try:
            return self._stream.peek(count)
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}: get the file again") from error

    def _refuse(self, payload: bytes) -> None:
        """Count a packet whose checksums hold, but which cannot be right."""
        self._skipped(HEAD_BYTES + len(payload))
        self._in_damage = False

    def _skipped(self, count: int) -> None:
        self.integrity.damages += not self._in_damage
        self.integrity.skipped_bytes += count
        self._in_damage = True


def _bytes_to_marker(ahead: bytes) -> int:
    """Return how far the next possible marker in `ahead` is, at least 1."""
    at = ahead.find(MARKER, 1)
    if at > 0:
        return at
    begun = next((n for n in (3, 2, 1) if ahead.endswith(MARKER[:n])), 0)
    return max(1, len(ahead) - begun)
