import pytest

from audiofix.codes.packet import (
    HEAD_BYTES,
    Coding,
    Kind,
    PacketHead,
    is_whole,
    make_packet,
    parse_head,
)

PACKET = make_packet(Kind.CODES, b"codes", first=1 << 40, frames=128, coding=Coding.RANGE)


def test_says_what_it_was_given():
    head = parse_head(PACKET)
    assert isinstance(head, PacketHead)
    assert (head.kind, head.coding, head.frames, head.first) == (1, 1, 128, 1 << 40)
    assert is_whole(head, PACKET[HEAD_BYTES:])


def test_every_flipped_bit_is_noticed():
    for bit in range(8 * len(PACKET)):
        damaged = bytearray(PACKET)
        damaged[bit // 8] ^= 1 << bit % 8
        head = parse_head(bytes(damaged[:HEAD_BYTES]))
        assert (head is None) == (bit < 8 * HEAD_BYTES)
        assert head is None or not is_whole(head, bytes(damaged[HEAD_BYTES:]))


@pytest.mark.parametrize("size", range(HEAD_BYTES))
def test_a_cut_head_says_nothing(size):
    assert parse_head(PACKET[:size]) is None


def test_a_cut_payload_is_not_whole():
    assert not is_whole(parse_head(PACKET), PACKET[HEAD_BYTES:-1])
