import numpy as np
import pytest

from audiofix.codes.bits import pack_bits, unpack_bits


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_round_trip(bits, count):
    values = np.random.default_rng(bits).integers(0, 1 << bits, count).astype(np.uint16)
    values[:1] = (1 << bits) - 1
    packed = pack_bits(values, bits)
    assert len(packed) == -(-count * bits // 8)
    unpacked = unpack_bits(packed, bits, count)
    assert unpacked.dtype == np.uint16
    np.testing.assert_array_equal(unpacked, values)


@pytest.mark.parametrize("bits", [1, 3, 10, 16])
def test_least_significant_bit_first(bits):
    values = np.random.default_rng(0).integers(0, 1 << bits, 50).astype(np.uint16)
    number = sum(int(value) << (i * bits) for i, value in enumerate(values))
    assert pack_bits(values, bits) == number.to_bytes(-(-50 * bits // 8), "little")
