"""The codes of one packet as bytes."""

import numpy as np

from audiofix.codes.bits import pack_bits, unpack_bits
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.packet import MOST_FRAMES, MOST_PAYLOAD_BYTES, Coding, PacketHead
from audiofix.errors import InputError


def most_frames(layout: CodeLayout) -> int:
    """Return how many frames one packet can hold, at least 1 for every layout."""
    return min(MOST_FRAMES, 8 * MOST_PAYLOAD_BYTES // (layout.codes(1) * layout.bits))


def encode_payload(codes: Codes, layout: CodeLayout) -> bytes:
    """Return `codes` `[channels, frames, codebooks]` as bytes.

    The order is frame by frame, in it channel by channel, in it codebook by codebook.
    """
    return pack_bits(codes.transpose(1, 0, 2).ravel(), layout.bits)


def decode_payload(payload: bytes, head: PacketHead, layout: CodeLayout) -> Codes:
    """Return the codes `[channels, frames, codebooks]` of a packet.

    Nothing larger than a packet may be is allocated, whatever the head says.

    Raises:
        InputError: the packet cannot be right, or is of a coding that came later.
    """
    frames = head.frames
    if not 1 <= frames <= most_frames(layout):
        raise InputError(f"a packet of {frames} frames: get the file again")
    if head.coding != Coding.PACKED or len(payload) != layout.packed_bytes(frames):
        raise InputError(f"a packet of {len(payload)} bytes, coding {head.coding}: update audiofix")
    flat = unpack_bits(payload, layout.bits, layout.codes(frames))
    shape = (frames, layout.channels, layout.codebooks)
    return np.ascontiguousarray(flat.reshape(shape).transpose(1, 0, 2))
