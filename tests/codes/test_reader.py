import io
import itertools
import json
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from codes.streams import (
    STEREO,
    Dribble,
    head_of,
    joined,
    own_packet,
    packets_of,
    random_codes,
    read_all,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiofix.codes.packet import END, HEAD_BYTES, Coding, Kind, make_packet
from audiofix.codes.reader import CodeReader, Gap, Packet
from audiofix.codes.writer import CodeWriter
from audiofix.errors import InputError

CODES = random_codes(STEREO, 100)
STREAM = written(STEREO, CODES, packet_frames=10)
PACKETS = packets_of(STREAM)
HEADERS, CODED, TAIL = PACKETS[:2], PACKETS[2:12], PACKETS[12:]


class Endless:
    """The same bytes for ever."""

    def __init__(self, unit: bytes, start: bytes = b"") -> None:
        self._bytes = itertools.chain(start, itertools.cycle(unit))
        self.taken = 0

    def read(self, count: int) -> bytes:
        self.taken += count
        return bytes(itertools.islice(self._bytes, count))


def read_stream(*packets: bytes) -> tuple[CodeReader, list[Packet], list[Gap]]:
    reader = CodeReader(io.BytesIO(b"".join(packets)), "x.afc")
    return reader, *read_all(reader)


@pytest.mark.parametrize("most", [1, 2, 25, 27, 1000])
def test_short_reads_are_asked_again(most):
    reader = CodeReader(Dribble(STREAM, most))
    packets, gaps = read_all(reader)
    np.testing.assert_array_equal(joined(packets, STEREO), CODES)
    assert (gaps, reader.fault, reader.samples) == ([], None, 30000)


@pytest.mark.timeout(30)
def test_a_listener_hears_what_was_flushed_before_the_stream_ends():
    ear, mouth = os.pipe()
    with os.fdopen(ear, "rb") as listening, os.fdopen(mouth, "wb") as speaking:
        writer = CodeWriter(speaking, STEREO)
        parts = iter(CodeReader(listening))
        for start in range(0, 100, 50):
            block = CODES[:, start : start + 50]
            writer.write(block)
            writer.flush()
            np.testing.assert_array_equal(next(parts).codes, block)


def test_a_lost_packet_leaves_a_gap_of_known_length():
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:3], *CODED[5:], *TAIL)
    assert gaps == [Gap(30, 20)]
    assert [packet.first for packet in packets] == [0, 10, 20, 50, 60, 70, 80, 90]
    np.testing.assert_array_equal(joined(packets[3:], STEREO), CODES[:, 50:])
    assert (reader.frames, reader.samples) == (100, 30000)
    assert str(reader.fault) == "x.afc: 20 frames (0.125 s) lost in 1 gap: get the file again"


def test_a_damaged_packet_is_a_gap_and_its_bytes_are_counted():
    damaged = CODED[4][:-1] + bytes([CODED[4][-1] ^ 1])
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:4], damaged, *CODED[5:], *TAIL)
    assert gaps == [Gap(40, 10)] and len(packets) == 9
    assert (reader.integrity.damages, reader.integrity.skipped_bytes) == (1, len(damaged))
    assert "226 bytes damaged in 1 place" in str(reader.fault)


def test_bytes_missing_inside_a_packet_do_not_cost_the_next():
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:4], CODED[4][:50], *CODED[5:], *TAIL)
    assert gaps == [Gap(40, 10)] and len(packets) == 9
    assert reader.integrity.skipped_bytes == 50


@pytest.mark.parametrize("lost", [0, 1])
def test_one_header_is_enough(lost):
    headers = list(HEADERS)
    headers[lost] = b"\0" + headers[lost][1:]
    reader, packets, gaps = read_stream(*headers, *CODED, *TAIL)
    assert (len(packets), gaps, reader.samples) == (10, [], 30000)
    assert reader.integrity.skipped_bytes == len(HEADERS[0])
    assert reader.fault is not None


def test_lost_frames_at_the_end_are_known_from_the_last_packet():
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:7], *TAIL)
    assert gaps == [Gap(70, 30)] and reader.frames == 100 and reader.samples == 30000


@pytest.mark.parametrize("left", range(11))
def test_a_cut_gives_every_whole_packet(left):
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:left], (*CODED, *TAIL)[left][:-1])
    np.testing.assert_array_equal(joined(packets, STEREO), CODES[:, : 10 * left])
    assert (reader.samples, gaps, reader.integrity.ended) == (None, [], False)
    assert f"cut after {left / 16:.3f} s" in str(reader.fault)


def test_packets_out_of_order_are_left_out_and_counted():
    swapped = [*CODED[:3], CODED[4], CODED[3], *CODED[5:]]
    reader, packets, gaps = read_stream(*HEADERS, *swapped, CODED[9], *TAIL)
    assert gaps == [Gap(30, 10)] and len(packets) == 9
    assert reader.integrity.late_packets == 2
    assert "2 packets out of order" in str(reader.fault)


def test_a_last_packet_that_comes_early_does_not_end_the_stream():
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:8], *TAIL, *CODED[8:])
    np.testing.assert_array_equal(joined(packets, STEREO), CODES)
    assert (gaps, reader.samples, reader.integrity.ended) == ([], 30000, True)


def test_the_first_last_packet_is_believed():
    beyond = crafted(first=100, payload=b"\0" * 200)
    another = crafted(kind=Kind.END, frames=0, first=90, payload=END.pack(7, 0))
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:8], *TAIL, beyond, another, *CODED[9:])
    assert (gaps, len(packets), reader.samples) == ([Gap(80, 10)], 9, 30000)
    assert (reader.integrity.damages, reader.frames) == (2, 100)


def test_a_packet_of_another_stream_is_damage():
    strange = written(
        STEREO, random_codes(STEREO, 100, seed=1), identity=b"another!", packet_frames=10
    )
    strange = packets_of(strange, b"another!")
    reader, packets, gaps = read_stream(*HEADERS, *CODED[:4], strange[6], *CODED[5:], *TAIL)
    assert gaps == [Gap(40, 10)] and len(packets) == 9
    assert reader.integrity.skipped_bytes == len(strange[6])


def test_version_1_is_still_read():
    told = json.loads(HEADERS[0][HEAD_BYTES:])
    del told["identity"]
    header = make_packet(Kind.HEADER, json.dumps({**told, "version": 1}).encode())
    bare = [
        make_packet(Kind.CODES, p[HEAD_BYTES:], first=10 * i, frames=10)
        for i, p in enumerate(CODED)
    ]
    end = make_packet(Kind.END, END.pack(30_000, 0), first=100)
    reader, packets, gaps = read_stream(header, *bare, end)
    np.testing.assert_array_equal(joined(packets, STEREO), CODES)
    assert (gaps, reader.fault, reader.samples) == ([], None, 30000)


def test_silence_for_what_is_missing_is_bounded_in_total():
    """At 160 frames a second: two gaps of 40 s, a minute allowed."""
    far = [crafted(first=6_400 * i, payload=b"\0" * 200) for i in (1, 2)]
    reader, packets, gaps = read_stream(*HEADERS, *far)
    assert gaps == [Gap(0, 6_400)] and [packet.first for packet in packets] == [6_400]
    assert "more missing than --max-gap allows" in str(reader.fault)
    reader = CodeReader(io.BytesIO(b"".join([*HEADERS, *far])), max_gap_seconds=80.0)
    assert [gap.frames for gap in read_all(reader)[1]] == [6_400, 6_390]


def test_what_follows_the_end_is_a_fault_and_is_not_read():
    reader, packets, _ = read_stream(STREAM, STREAM)
    assert len(packets) == 10 and "bytes follow its end" in str(reader.fault)


def test_another_recording_after_a_cut_is_never_mixed_in():
    other = replace(STEREO, model="another")
    reader, packets, _ = read_stream(*HEADERS, *CODED[:4], written(other, CODES))
    assert len(packets) == 4 and "cut after" in str(reader.fault)


def test_kinds_that_come_later_are_passed_over():
    later = own_packet(9, b"lyrics")
    reader, packets, gaps = read_stream(*HEADERS, later, *CODED, later, *TAIL)
    assert (len(packets), gaps, reader.fault) == (10, [], None)


@pytest.mark.parametrize("whole_bytes", [0, 30, 400, 1000])
def test_a_broken_disk_is_an_input_error(whole_bytes):
    class Broken(io.BytesIO):
        def read(self, count=-1):
            if self.tell() >= whole_bytes:
                raise OSError(5, "Input/output error")
            return super().read(count)

    with pytest.raises(InputError, match="^x.afc: Input/output error"):
        read_all(CodeReader(Broken(STREAM), "x.afc"))


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"", "not audiofix codes"), (b"RIFF....WAVE", "not audiofix codes"),
        (b"AFC1", "header is damaged"), (HEADERS[0][:-1], "header is damaged"),
        (b"".join(CODED), "header is damaged"),
        (make_packet(Kind.HEADER, b"{}"), "version None"),
    ],
)  # fmt: skip
def test_without_a_header_there_is_nothing(stream, message):
    with pytest.raises(InputError, match=f"^x.afc: .*{message}") as caught:
        CodeReader(io.BytesIO(stream), "x.afc")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("unit", [b"\0", b"A", b"AFC1", b"AFC", CODED[0]])
def test_endless_bytes_without_a_header_are_given_up(unit):
    endless = Endless(unit)
    with pytest.raises(InputError):
        CodeReader(endless)
    assert endless.taken < 1 << 19


def test_memory_does_not_grow_with_length():
    many = b"".join(itertools.islice(itertools.cycle(CODED), 10_000))
    file = io.BytesIO(b"".join(HEADERS) + many + bytes(1 << 20))
    tracemalloc.start()
    try:
        reader = CodeReader(file)
        assert sum(1 for _ in reader) == 10
        assert tracemalloc.get_traced_memory()[1] < 1 << 18
    finally:
        tracemalloc.stop()
    assert reader.integrity.late_packets == 9_990
    assert reader.integrity.skipped_bytes == 1 << 20


def crafted(first=0, frames=10, payload=b"", coding=Coding.PACKED, kind=Kind.CODES):
    return own_packet(kind, payload, first=first, frames=frames, coding=coding)


@pytest.mark.parametrize(
    "packet",
    [
        crafted(frames=65535), crafted(frames=0), crafted(payload=b"\0" * 199),
        crafted(payload=b"\0" * 65535), crafted(first=1 << 63, payload=b"\0" * 200),
        crafted(first=9_601, payload=b"\0" * 200), crafted(coding=7, payload=b"\0" * 200),
        crafted(kind=Kind.END, frames=0, first=1 << 62, payload=END.pack(0, 0)),
        crafted(kind=Kind.END, frames=0, first=100, payload=END.pack(30_001, 0)),
        crafted(kind=Kind.END, frames=0, first=100, payload=b""),
    ],
)  # fmt: skip
def test_absurd_packets_with_right_checksums_are_damage(packet):
    tracemalloc.start()
    try:
        reader, packets, gaps = read_stream(*HEADERS, packet, *CODED, *TAIL)
        assert tracemalloc.get_traced_memory()[1] < 1 << 19
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(joined(packets, STEREO), CODES)
    assert (gaps, reader.samples) == ([], 30000)
    assert (reader.integrity.damages, reader.integrity.skipped_bytes) == (1, len(packet))


def test_the_coding_of_early_versions_is_refused_and_not_taken_for_damage():
    ranged = crafted(first=0, payload=b"\0" * 200, coding=Coding.RANGE)
    with pytest.raises(InputError, match="early version .range-coded.: encode the sound again"):
        read_stream(*HEADERS, ranged, *CODED, *TAIL)


def test_a_pipe_cannot_seek():
    with pytest.raises(InputError, match="cannot seek"):
        CodeReader(Dribble(STREAM, 100)).seek(3)


def held_to_its_promises(stream: bytes) -> None:
    """Read any bytes; whatever they are, the reader ends, and what it returns was vouched for."""
    try:
        reader = CodeReader(io.BytesIO(stream))
    except InputError as error:
        assert "\n" not in str(error)
        return
    try:
        packets, _ = read_all(reader)
    except InputError as error:
        assert "range-coded" in str(error)
        return
    for packet in packets:
        assert packet.codes.max() < 1 << reader.layout.bits
    met = reader.integrity
    assert met.skipped_bytes <= len(stream)
    troubled = met.gaps or met.skipped_bytes or met.late_packets or met.followed or not met.ended
    assert bool(reader.fault) == bool(troubled)
    assert (reader.samples is None) == (not met.ended)


pieces = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([*PACKETS, b"AFC1", b"AF", *(packet[:HEAD_BYTES] for packet in PACKETS)]),
    st.builds(
        lambda kind, payload, first, frames, coding: own_packet(
            kind, payload, first=first, frames=frames, coding=coding
        ),
        st.integers(0, 5),
        st.binary(max_size=250),
        st.integers(0, 1 << 40) | st.integers(0, 200),
        st.integers(0, 12),
        st.integers(0, 3),
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pieces, max_size=12), st.booleans())
def test_any_bytes(parts, headed):
    held_to_its_promises(HEADERS[0] * headed + b"".join(parts))


def damaged(seed: int) -> tuple[str, bytes, set[int]]:
    """Return how the stream was damaged, the result, and the packets that must come out of it."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum([0, *map(len, PACKETS)])
    spans = [range(starts[2 + i], starts[3 + i]) for i in range(len(CODED))]
    kind = ("flips", "cut", "lost", "added", "swapped")[seed % 5]
    at, size = int(rng.integers(len(STREAM))), int(rng.integers(1, 400))
    if kind == "flips":
        content = bytearray(STREAM)
        hit = set()
        for bit in rng.integers(0, 8 * len(STREAM), rng.integers(1, 9)).tolist():
            content[bit // 8] ^= 1 << bit % 8
            hit ^= {bit}
        bytes_hit = {bit // 8 for bit in hit}
        whole = {i for i, span in enumerate(spans) if not bytes_hit & set(span)}
        return kind, bytes(content), whole
    if kind == "cut":
        return kind, STREAM[:at], {i for i, span in enumerate(spans) if span.stop <= at}
    if kind == "lost":
        whole = {i for i, span in enumerate(spans) if span.stop <= at or span.start >= at + size}
        return kind, STREAM[:at] + STREAM[at + size :], whole
    if kind == "added":
        whole = {i for i, span in enumerate(spans) if not span.start < at < span.stop}
        return kind, STREAM[:at] + rng.bytes(size) + STREAM[at:], whole
    one, other = sorted(rng.choice(len(PACKETS), 2, replace=False).tolist())
    packets = list(PACKETS)
    packets[one], packets[other] = packets[other], packets[one]
    headed = packets[min(packets.index(header) for header in HEADERS) :]
    order = [head_of(packet).first // 10 for packet in headed if packet in CODED]
    return kind, b"".join(packets), {i for n, i in enumerate(order) if i >= max(order[: n + 1])}


def test_a_thousand_damaged_files():
    outcomes = {"refused": 0, "whole": 0, "part": 0}
    for seed in range(1000):
        kind, stream, must_come = damaged(seed)
        held_to_its_promises(stream)
        try:
            reader = CodeReader(io.BytesIO(stream))
        except InputError:
            # Both headers are gone, and nothing less.
            assert not any(header in stream for header in HEADERS), (seed, kind)
            outcomes["refused"] += 1
            continue
        packets, _ = read_all(reader)
        for packet in packets:
            good = CODES[:, packet.first : packet.first + packet.frames]
            np.testing.assert_array_equal(packet.codes, good, err_msg=f"{seed} {kind}")
        assert must_come <= {packet.first // 10 for packet in packets}, (seed, kind)
        if reader.fault is None:
            np.testing.assert_array_equal(joined(packets, STEREO), CODES)
            assert reader.samples == 30000
        outcomes["part" if reader.fault else "whole"] += 1
    assert outcomes["part"] > 800, outcomes
