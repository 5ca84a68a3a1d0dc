import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiofix.codes.entropy import decode_rows, encode_rows
from audiofix.errors import InputError


def rows_of(kind, frames, bits, columns=8):
    rng = np.random.default_rng(7)
    most = 1 << bits
    rows = {
        "constant": np.full((frames, columns), most - 1),
        "uniform": rng.integers(0, most, (frames, columns)),
        "skewed": rng.zipf(1.3, (frames, columns)) % most,
        "alternating": np.arange(frames)[:, None] % 2 * (most - 1) + np.zeros((1, columns), int),
    }[kind]
    return rows.astype(np.uint16)


@pytest.mark.parametrize("kind", ["constant", "uniform", "skewed", "alternating"])
@pytest.mark.parametrize("bits", [1, 10, 16])
@pytest.mark.parametrize("frames", [1, 2, 128, 1000])
def test_round_trip(kind, bits, frames):
    rows = rows_of(kind, frames, bits)
    decoded = decode_rows(encode_rows(rows, bits), bits, rows.shape)
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, rows)


@given(st.integers(1, 16), st.integers(1, 3), st.binary(min_size=2, max_size=400))
def test_round_trip_of_anything(bits, columns, content):
    flat = np.frombuffer(content[: len(content) // 2 * 2], "<u2").astype(int) % (1 << bits)
    frames = max(1, len(flat) // columns)
    rows = np.resize(flat, (frames, columns)).astype(np.uint16)
    np.testing.assert_array_equal(decode_rows(encode_rows(rows, bits), bits, rows.shape), rows)


def test_the_bytes_never_change():
    rows = np.array([[1, 1000], [1, 7], [1, 1000], [2, 1000]], np.uint16)
    assert encode_rows(rows, 10).hex() == "1ce25edc4203e8f5"
    many = np.arange(600).reshape(300, 2) ** 2 % 997 % 41
    assert zlib.crc32(encode_rows(many.astype(np.uint16), 10)) == 94663991


@pytest.mark.parametrize(
    ("kind", "bits_per_code"), [("constant", 0.3), ("skewed", 7.7), ("uniform", 10.3)]
)
def test_size_per_code_of_ten_bits(kind, bits_per_code):
    rows = rows_of(kind, 128, 10)
    assert 8 * len(encode_rows(rows, 10)) < bits_per_code * rows.size


@given(st.binary(max_size=60), st.integers(1, 16))
def test_any_bytes_are_codes_in_range_or_an_error(content, bits):
    try:
        rows = decode_rows(content, bits, (20, 2))
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert int(rows.max()) < 1 << bits


@pytest.mark.parametrize("coded", [b"", b"\xff" * 4], ids=["repeats nothing", "past the end"])
def test_bytes_that_are_never_written_are_an_error(coded):
    with pytest.raises(InputError):
        decode_rows(coded, 10, (1, 1))
