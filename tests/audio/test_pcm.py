import numpy as np
import pytest

from audiofix.audio.pcm import HEADERLESS, Encoding, SampleEncoder, decode_samples, parse_encoding
from audiofix.errors import UsageError


@pytest.mark.parametrize("name", HEADERLESS)
def test_every_stored_value_survives_a_round_trip(name):
    encoding = parse_encoding(name)
    stored = np.random.default_rng(0).integers(0, 256, 6 * encoding.bytes * 101, np.uint8).tobytes()
    if encoding.kind == "float":
        values = np.random.default_rng(0).standard_normal(606)
        stored = values.astype(f"{'>' if encoding.big_endian else '<'}f{encoding.bytes}").tobytes()
    samples = decode_samples(stored, encoding, 2)
    assert samples.shape == (2, len(stored) // encoding.bytes // 2)
    if encoding.bits <= 24 or name.startswith("f32"):
        again = SampleEncoder(encoding).encode(samples)
        # mu-law and A-law know two zeros; they are one value.
        assert np.array_equal(decode_samples(again, encoding, 2), samples)
        assert encoding.kind in ("mulaw", "alaw") or again == stored


def test_scale_and_rounding():
    encoder = SampleEncoder(Encoding("signed", 32))
    half_step = 2.0**-32
    x = np.array([[0, 0.5, -1, half_step, 3 * half_step, -half_step]], np.float32)
    integers = np.frombuffer(encoder.encode(x), "<i4")
    assert integers.tolist() == [0, 1 << 30, -(1 << 31), 0, 2, 0]


def test_big_and_little_endian_are_mirrors():
    x = np.random.default_rng(0).uniform(-1, 1, (1, 50)).astype(np.float32)
    for bits in (16, 24, 32):
        little = SampleEncoder(Encoding("signed", bits)).encode(x)
        big = SampleEncoder(Encoding("signed", bits, True)).encode(x)
        width = bits // 8
        assert big == b"".join(little[i : i + width][::-1] for i in range(0, len(little), width))


@pytest.mark.parametrize("bits", [16, 24])
def test_dither_is_triangular_unbiased_and_seeded(bits):
    encoding = Encoding("signed", bits)
    step = 2.0 ** (1 - bits)
    x = np.full((1, 200_000), np.float32(0.3 * step) if bits == 16 else np.float32(0.25 * step))
    y = decode_samples(SampleEncoder(encoding, 7).encode(x), encoding, 1) / step
    assert abs(y.mean() - x[0, 0] / step) < 0.01
    # Rectangular rounding error plus triangular noise: variance 1/12 + 2/12, whatever the sample.
    assert abs(((y - x / step) ** 2).mean() - 0.25) < 0.01
    again = SampleEncoder(encoding, 7)
    pieces = b"".join(again.encode(x[:, i : i + 7919]) for i in range(0, 200_000, 7919))
    assert pieces == SampleEncoder(encoding, 7).encode(x)
    assert pieces != SampleEncoder(encoding, 8).encode(x)


def test_what_the_grid_holds_is_not_dithered():
    x = np.arange(-32768, 32768)[None] / np.float32(32768)
    integers = np.frombuffer(SampleEncoder(Encoding("signed", 16)).encode(x), "<i2")
    assert np.array_equal(integers, np.arange(-32768, 32768))


def test_clipping_is_counted_and_floats_keep_everything():
    x = np.array([[1.0, -1.0, 1.5, -2.0, 0.5]], np.float32)
    encoder = SampleEncoder(Encoding("signed", 16))
    assert np.frombuffer(encoder.encode(x), "<i2").tolist() == [32767, -32768, 32767, -32768, 16384]
    assert encoder.clipped == 2
    floats = SampleEncoder(Encoding("float", 32))
    assert np.frombuffer(floats.encode(x), "<f4").tolist() == x[0].tolist()
    assert floats.clipped == 0


def test_unknown_names_are_usage_errors():
    assert parse_encoding("s24").name == "s24le"
    with pytest.raises(UsageError, match="f32le"):
        parse_encoding("s20")
