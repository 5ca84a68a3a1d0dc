from dataclasses import replace

import numpy as np
import pytest
from codes.streams import LAYOUT, STEREO, random_codes

from audiofix.codes.bits import unpack_bits
from audiofix.codes.packet import MOST_PAYLOAD_BYTES, Coding, PacketHead
from audiofix.codes.payload import decode_payload, encode_payload, most_frames
from audiofix.errors import InputError


def head_of(frames, payload, coding=Coding.PACKED):
    return PacketHead(1, coding, frames, 0, len(payload), 0)


@pytest.mark.parametrize("layout", [LAYOUT, STEREO, replace(STEREO, bits=1, codebooks=3)])
@pytest.mark.parametrize("frames", [1, 127])
def test_round_trip(layout, frames):
    codes = random_codes(layout, frames)
    payload = encode_payload(codes, layout)
    decoded = decode_payload(payload, head_of(frames, payload), layout)
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, codes)


def test_order_is_frame_channel_codebook():
    codes = np.arange(2 * 3 * 8, dtype=np.uint16).reshape(2, 3, 8)
    payload = encode_payload(codes, STEREO)
    flat = unpack_bits(payload, 10, 48)
    assert flat[:8].tolist() == codes[0, 0].tolist()
    assert flat[8:16].tolist() == codes[1, 0].tolist()
    assert flat[16:24].tolist() == codes[0, 1].tolist()


def test_every_layout_has_room_for_a_frame():
    largest = replace(LAYOUT, channels=256, codebooks=64, bits=16)
    assert most_frames(largest) >= 1 and largest.packed_bytes(1) <= MOST_PAYLOAD_BYTES
    assert most_frames(replace(LAYOUT, codebooks=1, bits=1)) == 65535


@pytest.mark.parametrize(
    ("frames", "coding", "payload"),
    [
        (0, 0, b""), (2, 0, b"\0" * 10), (1, 0, b"\0" * 11), (1, 1, b"\0" * 10), (1, 2, b"\0" * 10),
        (65535, 1, b"\0"), (1, 1, b""),
    ],
)  # fmt: skip
def test_refuses_what_cannot_be(frames, coding, payload):
    with pytest.raises(InputError):
        decode_payload(payload, head_of(frames, payload, coding), LAYOUT)
