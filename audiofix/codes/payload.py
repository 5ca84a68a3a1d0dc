"""The codes of one packet as bytes, packed or range-coded."""

import numpy as np

from audiofix.codes.bits import pack_bits, unpack_bits
from audiofix.codes.entropy import decode_rows, encode_rows
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.packet import MOST_FRAMES, MOST_PAYLOAD_BYTES, Coding, PacketHead
from audiofix.errors import InputError


def most_frames(layout: CodeLayout) -> int:
    """Return how many frames one packet can hold, at least 1 for every layout."""
    return min(MOST_FRAMES, 8 * MOST_PAYLOAD_BYTES // (layout.codes(1) * layout.bits))


def encode_payload(codes: Codes, layout: CodeLayout, *, entropy: bool) -> tuple[Coding, bytes]:
    """Return `codes` `[channels, frames, codebooks]` as bytes, and how they are written.

    The order is frame by frame, in it channel by channel, in it codebook by codebook. With
    `entropy` the codes are range-coded where that is shorter.
    """
    rows = codes.transpose(1, 0, 2).reshape(codes.shape[1], -1)
    packed = pack_bits(rows.ravel(), layout.bits)
    if entropy:
        coded = encode_rows(rows, layout.bits)
        if len(coded) < len(packed):
            return Coding.RANGE, coded
    return Coding.PACKED, packed


def decode_payload(payload: bytes, head: PacketHead, layout: CodeLayout) -> Codes:
    """Return the codes `[channels, frames, codebooks]` of a packet.

    Nothing larger than a packet may be is allocated, whatever the head says.

    Raises:
        InputError: the packet cannot be right, or is of a coding that came later.
    """
    frames = head.frames
    packed_bytes = layout.packed_bytes(frames)
    if not 1 <= frames <= most_frames(layout):
        raise InputError(f"a packet of {frames} frames: get the file again")
    if head.coding == Coding.PACKED and len(payload) == packed_bytes:
        flat = unpack_bits(payload, layout.bits, layout.codes(frames))
    elif head.coding == Coding.RANGE and len(payload) < packed_bytes:
        flat = decode_rows(payload, layout.bits, (frames, layout.codes(1)))
    else:
        raise InputError(f"a packet of {len(payload)} bytes, coding {head.coding}: update audiofix")
    shape = (frames, layout.channels, layout.codebooks)
    return np.ascontiguousarray(flat.reshape(shape).transpose(1, 0, 2))
