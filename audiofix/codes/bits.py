"""Numbers of 1 to 16 bits side by side, least significant bit first."""

import numpy as np
from numpy.typing import NDArray


def pack_bits(values: NDArray[np.uint16], bits: int) -> bytes:
    """Return `values` `[count]` as ceil(count * bits / 8) bytes; the last is padded with zeros.

    Bit k of value i is bit (i * bits + k) of the result, counted from the lowest bit of byte 0.

    >>> pack_bits(np.array([5, 2, 7], np.uint16), 3).hex()
    'd501'
    """
    planes = values[:, None] >> np.arange(bits, dtype=np.uint16) & 1
    return np.packbits(planes.astype(np.uint8), bitorder="little").tobytes()


def unpack_bits(packed: bytes, bits: int, count: int) -> NDArray[np.uint16]:
    """Return the first `count` numbers in `packed`, which holds at least that many.

    >>> unpack_bits(bytes.fromhex("d501"), 3, 3).tolist()
    [5, 2, 7]
    """
    planes = np.unpackbits(np.frombuffer(packed, np.uint8), count=count * bits, bitorder="little")
    weights = (1 << np.arange(bits)).astype(np.uint16)
    values: NDArray[np.uint16] = planes.reshape(count, bits) @ weights
    return values
