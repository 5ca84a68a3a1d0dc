"""What a stream of codes is: who made it, and the shape of one frame."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.types import BITS
from audiofix.errors import InputError

Codes = NDArray[np.uint16]
"""Codes `[channels, frames, codebooks]`, each below `2 ** bits`. Every channel has its own."""

_LIMITS = {
    "rate": 1 << 24,
    "channels": 256,
    "hop": 1 << 20,
    "codebooks": 64,
    "bits": 16,
    "source_rate": 1 << 24,
}
"""The most that each field can be; the least is 1. They bound what a reader ever allocates."""
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class CodeLayout:
    """The codec behind a stream of codes, and the shape of its frames.

    Attributes:
        model: the catalogue name of the codec.
        checkpoint: the first 16 hexadecimal digits of the SHA-256 of what decides whether codes
            can be decoded: the codebooks, or the file that holds them.
        rate: samples per second that the codec works at.
        channels: channels, each coded by itself.
        hop: samples per frame at `rate`.
        codebooks: codes per frame and channel.
        bits: width of one code, 1 to 16.
        source_rate: samples per second of the sound that was encoded; None stands for `rate`.
        source_bits: sample format of the file that was encoded: 16, 24, 32, 32f or 64f; None where
            it was none.

    Raises:
        InputError: a field is out of range.
    """

    model: str
    checkpoint: str
    rate: int
    channels: int
    hop: int
    codebooks: int
    bits: int
    source_rate: int | None = None
    source_bits: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no codec has."""
        # Not printable covers line breaks, escape sequences and what no terminal can encode.
        name = self.model if isinstance(self.model, str) else ""
        if not (name.isprintable() and 1 <= len(name) <= _LONGEST_NAME):
            raise InputError("code layout: its model has no readable name: encode again")
        if not re.fullmatch(r"[0-9a-f]{16}", str(self.checkpoint)):
            raise InputError("code layout: its checkpoint is not 16 hex digits: encode again")
        if self.source_bits not in (None, *BITS):
            raise InputError(
                f"code layout: source_bits is {self.source_bits!r:.40}: one of {', '.join(BITS)} "
                "can be"
            )
        for field, most in _LIMITS.items():
            value = getattr(self, field)
            if field == "source_rate" and value is None:
                continue
            if type(value) is not int or not 1 <= value <= most:
                raise InputError(
                    f"code layout: {field} is {value!r:.40}: whole numbers from 1 to {most} can be"
                )

    @property
    def sound_rate(self) -> int:
        """Samples per second of the sound that was encoded, and that decoding gives back."""
        return self.source_rate or self.rate

    @property
    def bits_per_second(self) -> float:
        """The rate of the bare codes, without packets around them."""
        return self.rate / self.hop * self.channels * self.codebooks * self.bits

    def codes(self, frames: int) -> int:
        """Return how many codes `frames` frames have, all channels together."""
        return self.channels * frames * self.codebooks

    def packed_bytes(self, frames: int) -> int:
        """Return how many bytes `frames` frames take when every code has its `bits`."""
        return -(-self.codes(frames) * self.bits // 8)

    def most_samples(self, frames: int) -> int:
        """Return the most samples at `sound_rate` that `frames` frames can stand for.

        A sound of n samples becomes round(n * rate / sound_rate) at the codec's rate, and these
        must fit into frames * hop.
        """
        return ((2 * frames * self.hop + 1) * self.sound_rate - 1) // (2 * self.rate)

    def seconds(self, frames: int) -> float:
        """Return how long `frames` frames sound."""
        return frames * self.hop / self.rate
