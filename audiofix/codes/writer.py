"""Write a code stream, to a file or a pipe: it never seeks."""

import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audiofix.codes.header import write_header
from audiofix.codes.index import IndexBuilder
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.packet import END, Kind, make_packet
from audiofix.codes.payload import encode_payload, most_frames
from audiofix.errors import InputError

PACKET_FRAMES = 128
"""Frames per packet: at 160 frames of 10 bytes a second, 0.8 s are lost with one, and what
surrounds the codes is 2% of the stream."""


def identity_of(*content: object) -> bytes:
    """Return an identity drawn from what a stream holds: the same content, the same identity."""
    digest = sha256()
    for part in content:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return digest.digest()[:8]


class Writable(Protocol):
    """What codes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""
        ...

    def flush(self) -> None:
        """Send on what was taken."""
        ...


class CodeWriter:
    """One code stream from its header to its last packet."""

    def __init__(
        self,
        stream: Writable,
        layout: CodeLayout,
        *,
        tags: Mapping[str, Sequence[str]] | None = None,
        packet_frames: int = PACKET_FRAMES,
        index: bool = True,
        identity: bytes | None = None,
    ) -> None:
        """Write the header at once.

        Args:
            stream: takes the bytes. It stays open.
            layout: what the codes are.
            tags: title, artist, ... of the recording.
            packet_frames: frames per packet, at least 1; fewer where so many do not fit.
            index: end the stream with a table of packets for readers that can seek.
            identity: 8 bytes that no other stream has; None draws them.

        Raises:
            InputError: the tags do not fit.
        """
        self.layout = layout
        self._stream = stream
        self._packet_frames = max(1, min(packet_frames, most_frames(layout)))
        self._index = IndexBuilder() if index else None
        self._waiting: list[Codes] = []
        self._frames_waiting = 0
        self._frames_sent = 0
        self._offset = 0
        self._identity = secrets.token_bytes(8) if identity is None else identity
        header = make_packet(Kind.HEADER, write_header(layout, tags or {}, self._identity))
        # Twice, for without a header nothing can be decoded; now, for a decoder loads its model.
        self._send(header + header)
        stream.flush()

    @property
    def frames(self) -> int:
        """Frames sent so far; more may be waiting for their packet to be full."""
        return self._frames_sent

    def write(self, codes: NDArray[np.integer]) -> None:
        """Append codes `[channels, frames, codebooks]`, any number of frames.

        Raises:
            InputError: the shape or a code does not belong to the layout.
        """
        layout = self.layout
        wanted = (layout.channels, layout.codebooks)
        if codes.ndim != 3 or codes.shape[::2] != wanted or codes.dtype.kind not in "iu":
            raise InputError(
                f"codes: {codes.dtype} of shape {list(codes.shape)}: {layout.model} has whole "
                f"numbers of shape [{layout.channels}, frames, {layout.codebooks}]"
            )
        if codes.size and not 0 <= int(codes.min()) <= int(codes.max()) < 1 << layout.bits:
            raise InputError(f"codes: do not fit into the {layout.bits} bits of {layout.model}")
        self._waiting.append(codes.astype(np.uint16))
        self._frames_waiting += codes.shape[1]
        if self._frames_waiting >= self._packet_frames:
            self._send_packets(whole_only=True)

    def flush(self) -> None:
        """Send what is waiting now, in a short packet: for a listener who waits for it."""
        self._send_packets(whole_only=False)
        self._stream.flush()

    def finish(self, samples: int) -> None:
        """End the stream.

        Args:
            samples: the exact length of the sound, at its own rate, per channel.

        Raises:
            InputError: the frames cannot stand for so many samples.
        """
        self._send_packets(whole_only=False)
        most = self.layout.most_samples(self._frames_sent)
        if not 0 <= samples <= most:
            raise InputError(f"codes: {samples} samples: {most} fit into the frames written")
        index_offset = 0
        if self._index and (table := self._index.payload()):
            index_offset = self._offset
            self._send(make_packet(Kind.INDEX, table, identity=self._identity))
        end = END.pack(samples, index_offset)
        self._send(make_packet(Kind.END, end, first=self._frames_sent, identity=self._identity))
        self._stream.flush()

    def _send_packets(self, *, whole_only: bool) -> None:
        if not self._frames_waiting:
            return
        codes = np.concatenate(self._waiting, axis=1)
        start = 0
        while (left := codes.shape[1] - start) >= (self._packet_frames if whole_only else 1):
            frames = min(left, self._packet_frames)
            self._send_codes(codes[:, start : start + frames])
            start += frames
        self._waiting = [codes[:, start:].copy()]
        self._frames_waiting = codes.shape[1] - start

    def _send_codes(self, codes: Codes) -> None:
        payload = encode_payload(codes, self.layout)
        if self._index:
            self._index.add(self._frames_sent, self._offset)
        first, frames = self._frames_sent, codes.shape[1]
        self._send(
            make_packet(Kind.CODES, payload, first=first, frames=frames, identity=self._identity)
        )
        self._frames_sent += frames

    def _send(self, packet: bytes) -> None:
        self._stream.write(packet)
        self._offset += len(packet)
