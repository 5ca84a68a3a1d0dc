import io
import random

import numpy as np
import pytest
from codes.streams import (
    IDENTITY,
    LAYOUT,
    joined,
    own_packet,
    packets_of,
    random_codes,
    read_all,
    written,
)

from audiofix.codes.index import Entry, IndexBuilder, find
from audiofix.codes.reader import CodeReader, Packet

FRAMES = 3000
CODES = random_codes(LAYOUT, FRAMES)
STREAM = written(LAYOUT, CODES, packet_frames=10)


class Counted(io.BytesIO):
    """Counts the bytes that are read."""

    def __init__(self, content):
        super().__init__(content)
        self.taken = 0

    def read(self, count=-1):
        content = super().read(count)
        self.taken += len(content)
        return content


@pytest.mark.parametrize("frame", [0, 1, 159, 160, 161, 1234, 2999, 10**9])
def test_finds_the_packet_at_or_before(frame):
    entry = find(io.BytesIO(STREAM), frame, IDENTITY)
    assert entry.first == min(frame, FRAMES - 1) // 160 * 160
    file = Counted(STREAM)
    reader = CodeReader(file)
    file.taken = 0
    assert reader.seek(frame) == entry.first
    packet = next(iter(reader))
    assert isinstance(packet, Packet) and packet.first == entry.first
    np.testing.assert_array_equal(packet.codes, CODES[:, entry.first : entry.first + 10])
    assert file.taken < 1000


def test_reads_on_from_there():
    reader = CodeReader(io.BytesIO(STREAM))
    read_all(reader)
    assert reader.seek(2000) == 1920
    parts = list(reader)
    np.testing.assert_array_equal(joined(parts, LAYOUT), CODES[:, 1920:])
    assert (reader.fault, reader.samples, reader.frames) == (None, FRAMES * 300, FRAMES)


def test_a_stream_of_one_header_has_no_index():
    assert find(io.BytesIO(packets_of(STREAM)[0]), 0) is None
    assert find(io.BytesIO(b""), 0) is None


@pytest.mark.parametrize("damage", ["none", "cut", "index", "end"])
def test_without_an_index_it_starts_at_the_beginning(damage):
    packets = packets_of(STREAM)
    stream = {
        "none": written(LAYOUT, CODES, index=False),
        "cut": STREAM[:-1],
        "index": b"".join(packets[:-2]) + packets[-2][:-1] + b"\xff" + packets[-1],
        "end": b"".join(packets[:-1]) + packets[-1][:-1] + b"\xff",
    }[damage]
    assert find(io.BytesIO(stream), 2000, IDENTITY) is None
    reader = CodeReader(io.BytesIO(stream))
    assert reader.seek(2000) == 0
    packets, _ = read_all(reader)
    np.testing.assert_array_equal(joined(packets, LAYOUT), CODES)


def test_the_table_stays_small_however_long_the_stream():
    builder = IndexBuilder()
    for packet in range(300_000):
        builder.add(packet * 10, packet * 100)
    table = builder.payload()
    assert 16 * 1000 < len(table) < 1 << 16
    numbers = np.frombuffer(table, "<u8").reshape(-1, 2)
    steps = np.diff(numbers[:, 0])
    assert numbers[0].tolist() == [0, 0] and (steps == steps[0]).all()
    assert (numbers[:, 1] == 10 * numbers[:, 0]).all()
    assert 300_000 * 10 - numbers[-1, 0] <= steps[0]


def test_no_bytes_at_the_end_can_break_it():
    rng = random.Random(0)
    packets = packets_of(STREAM)
    for _ in range(300):
        table = rng.randbytes(rng.choice([0, 15, 16, 48]))
        end = rng.randbytes(rng.choice([16, 16, 3]))
        stream = b"".join(packets[:-2])
        if len(end) == 16:
            end = end[:8] + len(stream).to_bytes(8, "little")
        stream += own_packet(2, table) + own_packet(3, end, first=FRAMES)
        entry = find(io.BytesIO(stream), rng.choice([0, 5, 1 << 63]), IDENTITY)
        assert entry is None or (isinstance(entry, Entry) and entry.offset < len(stream))
