import io
from dataclasses import replace

import numpy as np
import pytest
from codes.streams import (
    IDENTITY,
    LAYOUT,
    STEREO,
    head_of,
    joined,
    packets_of,
    random_codes,
    read_all,
    written,
)

from audiofix.codes.layout import CodeLayout
from audiofix.codes.packet import Kind, parse_head
from audiofix.codes.reader import CodeReader
from audiofix.codes.writer import CodeWriter
from audiofix.errors import InputError

TINY = CodeLayout("m", "00112233445566ff", 8000, 2, 4, 1, 3)
TINY_CODES = np.array([[[1], [2], [3]], [[7], [6], [5]]], np.uint16)
HEADER = (
    "41464331 00 00 0000 0000000000000000 a700 9face73b e5668a9e"
    + (
        b'{"version":2,"identity":"3820627974657321","model":"m","checkpoint":"00112233445566ff",'
        b'"rate":8000,"channels":2,"hop":4,"codebooks":1,"bits":3,"tags":{"title":["\xc3\xa9"]}}'
    ).hex()
)
GOLDEN = [
    HEADER,
    HEADER,
    # 1 and 7, then 2 and 6, 3 bits each: 0b110_010_111_001 is 0x0cb9
    "41464331 01 00 0200 0000000000000000 0200 254b687d 50106ed9 b90c",
    "41464331 01 00 0100 0200000000000000 0100 cd16be7e b6f598ae 2b",
    "41464331 02 00 0000 0000000000000000 1000 46c2d25b ecf006f1 00000000000000008201000000000000",
    "41464331 03 00 0000 0300000000000000 1000 d0a6aed9 a46afc35 0b00000000000000b901000000000000",
]


class Pipe:
    """Takes bytes, and cannot seek or tell."""

    def __init__(self):
        self.content = b""

    def write(self, data):
        self.content += data

    def flush(self):
        pass


def kinds_of(stream):
    return [head_of(packet).kind for packet in packets_of(stream)]


def test_the_bytes_never_change():
    stream = written(TINY, TINY_CODES, samples=11, packet_frames=2, tags={"title": ["é"]})
    assert packets_of(stream) == [bytes.fromhex(packet) for packet in GOLDEN]


@pytest.mark.parametrize(
    "layout", [LAYOUT, STEREO, *(replace(STEREO, codebooks=3, bits=n) for n in (1, 7, 16))]
)
@pytest.mark.parametrize("frames", [0, 1, 127, 128, 129, 1000])
def test_round_trip(layout, frames):
    codes = random_codes(layout, frames)
    samples = max(0, frames * layout.hop - 17)
    reader = CodeReader(io.BytesIO(written(layout, codes, samples)))
    packets, gaps = read_all(reader)
    np.testing.assert_array_equal(joined(packets, layout), codes)
    assert (reader.layout, reader.samples, reader.frames) == (layout, samples, frames)
    assert (gaps, reader.fault, reader.integrity.ended) == ([], None, True)


def test_the_cut_of_the_input_never_changes_a_byte():
    codes = random_codes(STEREO, 500)
    whole = written(STEREO, codes)
    for size in (1, 7, 128, 499):
        pipe = Pipe()
        writer = CodeWriter(pipe, STEREO, identity=IDENTITY)
        for start in range(0, 500, size):
            block = codes[:, start : start + size].astype(np.int64)
            writer.write(block)
            block[:] = -1  # What was written is no longer the caller's.
            writer.write(block[:, :0])
        writer.finish(STEREO.most_samples(500))
        assert pipe.content == whole


def test_what_surrounds_the_codes_is_small():
    codes = random_codes(LAYOUT, 160 * 60)
    assert len(written(LAYOUT, codes)) < 1.03 * LAYOUT.packed_bytes(160 * 60)


def test_index_can_be_left_out():
    codes = random_codes(LAYOUT, 3)
    usual = [Kind.HEADER, Kind.HEADER, Kind.CODES]
    assert kinds_of(written(LAYOUT, codes)) == [*usual, Kind.INDEX, Kind.END]
    assert kinds_of(written(LAYOUT, codes, index=False)) == [*usual, Kind.END]


def test_flush_sends_what_is_there():
    pipe = Pipe()
    writer = CodeWriter(pipe, LAYOUT, identity=IDENTITY)
    before = len(pipe.content)
    writer.write(random_codes(LAYOUT, 1))
    assert len(pipe.content) == before
    writer.flush()
    writer.flush()
    assert parse_head(pipe.content[before:], IDENTITY).frames == 1


def test_packets_are_no_larger_than_they_may_be():
    layout = replace(LAYOUT, channels=200, codebooks=64)
    codes = random_codes(layout, 20)
    packets, _ = read_all(CodeReader(io.BytesIO(written(layout, codes, packet_frames=10**6))))
    assert [packet.frames for packet in packets] == [4, 4, 4, 4, 4]
    np.testing.assert_array_equal(joined(packets, layout), codes)


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros((8, 5), np.uint16), np.zeros((2, 5, 8), np.uint16), np.zeros((1, 5, 7), np.uint16),
        np.zeros((1, 5, 8)), np.full((1, 1, 8), 1024), np.full((1, 1, 8), -1),
    ],
)  # fmt: skip
def test_refuses_codes_of_another_layout(codes):
    with pytest.raises(InputError, match="^codes: "):
        CodeWriter(Pipe(), LAYOUT).write(codes)


@pytest.mark.parametrize("samples", [-1, 3001])
def test_refuses_a_length_that_the_frames_do_not_have(samples):
    writer = CodeWriter(Pipe(), LAYOUT)
    writer.write(random_codes(LAYOUT, 10))
    with pytest.raises(InputError, match="3000 fit"):
        writer.finish(samples)
