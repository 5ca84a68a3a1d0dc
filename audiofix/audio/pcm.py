"""Samples as bytes, and bytes as samples: one scale, one rounding rule, one place that clips.

An integer of b bits holds a sample x as `rint(x * 2^(b-1))`, ties to even. Reducing to 16 or 24
bits adds triangular dither of two steps' width (Lipshitz et al., JAES 40, 1992), except where the
grid holds the sample exactly, so that copies and silence stay as they are.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from audiofix.audio.format import Chunk
from audiofix.errors import UsageError

Kind = Literal["signed", "unsigned", "float", "mulaw", "alaw"]

_DITHERED_BITS = (16, 24)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one sample is stored."""

    kind: Kind
    bits: int
    big_endian: bool = False

    @property
    def bytes(self) -> int:
        """Bytes of one sample."""
        return self.bits // 8

    @property
    def name(self) -> str:
        """The name on the command line: `s16le`, `u8`, `mulaw`, ..."""
        if self.kind in ("mulaw", "alaw"):
            return self.kind
        order = "" if self.bits == 8 else "be" if self.big_endian else "le"
        return f"{self.kind[0]}{self.bits}{order}"


_ALL = [
    *(Encoding("signed", bits, big) for big in (False, True) for bits in (16, 24, 32)),
    *(Encoding("float", bits, big) for big in (False, True) for bits in (32, 64)),
    Encoding("unsigned", 8),
    Encoding("mulaw", 8),
    Encoding("alaw", 8),
]
HEADERLESS: dict[str, Encoding] = {encoding.name: encoding for encoding in _ALL}
"""Every encoding that can travel without a header, by name."""


def parse_encoding(name: str) -> Encoding:
    """Return the encoding called `name`; `f32`, `s16` and the like mean little-endian.

    Raises:
        UsageError: no encoding has this name.
    """
    full = f"{name}le" if re.fullmatch(r"[sf]\d+", name) else name
    if full not in HEADERLESS:
        raise UsageError(f"encoding {name}: unknown: use one of {', '.join(HEADERLESS)}")
    return HEADERLESS[full]


def decode_samples(
    data: bytes, encoding: Encoding, channels: int, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return interleaved samples as `[channels, samples]`; a cut last frame is dropped.

    Args:
        data: the bytes.
        encoding: of each sample.
        channels: rows of the result.
        dtype: float32 for a chunk; float64 holds every encoding to the bit.
    """
    frame = encoding.bytes * channels
    whole = data[: len(data) // frame * frame]
    return np.ascontiguousarray(_decode(whole, encoding).reshape(-1, channels).T, dtype)


def _decode(data: bytes, encoding: Encoding) -> NDArray[Any]:
    order = ">" if encoding.big_endian else "<"
    if encoding.kind == "float":
        return np.frombuffer(data, f"{order}f{encoding.bytes}")
    if encoding.kind == "unsigned":
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if encoding.kind in ("mulaw", "alaw"):
        table = _MULAW if encoding.kind == "mulaw" else _ALAW
        return table[np.frombuffer(data, np.uint8)]
    if encoding.bits == 24:
        triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
        words = np.zeros((len(triples), 4), np.uint8)
        words[:, 1:] = triples[:, ::-1] if encoding.big_endian else triples
        return words.view("<i4")[:, 0] * 2.0**-31
    return np.frombuffer(data, f"{order}i{encoding.bytes}") * 2.0 ** (1 - encoding.bits)


class SampleEncoder:
    """Turns chunks into bytes or integers; counts what it had to clip."""

    def __init__(self, encoding: Encoding, seed: int = 0) -> None:
        """Encode as `encoding`; `seed` decides the dither.

        The dither depends on the position in the stream alone, not on how it is cut.
        """
        self.encoding = encoding
        self.clipped = 0
        self._random = np.random.default_rng(seed)

    def encode(self, chunk: Chunk) -> bytes:
        """Return `[channels, samples]` as interleaved bytes."""
        encoding = self.encoding
        if encoding.kind == "float":
            order = ">" if encoding.big_endian else "<"
            return chunk.T.astype(f"{order}f{encoding.bytes}").tobytes()
        if encoding.kind in ("mulaw", "alaw"):
            return _compand(self._quantise(chunk, 16), encoding.kind).tobytes()
        integers = self._quantise(chunk, encoding.bits)
        if encoding.kind == "unsigned":
            return (integers + 128).astype(np.uint8).tobytes()
        if encoding.bits == 24:
            words = integers.astype(">i4" if encoding.big_endian else "<i4")
            four = words.view(np.uint8).reshape(-1, 4)
            return (four[:, 1:] if encoding.big_endian else four[:, :3]).tobytes()
        order = ">" if encoding.big_endian else "<"
        return integers.astype(f"{order}i{encoding.bytes}").tobytes()

    def integers(self, chunk: Chunk) -> NDArray[np.int32]:
        """Return `[samples, channels]` integers, left-aligned in 32 bits as libsndfile wants."""
        shift = 32 - self.encoding.bits
        return (self._quantise(chunk, self.encoding.bits) << shift).astype(np.int32)

    def _quantise(self, chunk: Chunk, bits: int) -> NDArray[np.int64]:
        scale = 2.0 ** (bits - 1)
        scaled = chunk.T.astype(np.float64) * scale
        rounded = np.rint(scaled)
        if bits in _DITHERED_BITS:
            # Drawn for every sample, used or not: the place in the stream decides the noise.
            noise = self._random.random((*scaled.shape, 2), np.float32) @ np.array([1, -1])
            rounded = np.where(rounded == scaled, rounded, np.rint(scaled + noise))
        # Full scale itself is one step beyond the largest integer; nobody calls that clipping.
        self.clipped += int(np.count_nonzero(np.abs(scaled) > scale))
        return np.clip(rounded, -scale, scale - 1).astype(np.int64)


def _mulaw_table() -> NDArray[np.float32]:
    """Return the 256 values of ITU-T G.711 mu-law, as shares of 16-bit full scale."""
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    size = ((mantissa << 3) + 132 << exponent) - 132
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


def _alaw_table() -> NDArray[np.float32]:
    """Return the 256 values of ITU-T G.711 A-law, as shares of 16-bit full scale."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    low = (mantissa << 4) + 8
    size = np.where(exponent == 0, low, (low + 256) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, size, -size) / 32768).astype(np.float32)


_MULAW = _mulaw_table()
_ALAW = _alaw_table()


def _compand(integers: NDArray[np.int64], kind: Kind) -> NDArray[np.uint8]:
    """Return the code whose value is nearest to each 16-bit integer."""
    table = (_MULAW if kind == "mulaw" else _ALAW) * np.float32(32768)
    order = np.argsort(table, kind="stable")
    edges = (table[order][1:] + table[order][:-1]) / 2
    return order[np.searchsorted(edges, integers)].astype(np.uint8)
