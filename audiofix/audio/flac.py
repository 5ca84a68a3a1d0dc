"""The facts at the head of a FLAC stream (RFC 9639, section 8.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What FLAC's first metadata block says.

    Attributes:
        bits: per sample, 4 to 32.
        samples: per channel, None where the writer could not go back to fill it in.
    """

    bits: int
    samples: int | None


def read_stream_info(head: bytes) -> StreamInfo | None:
    """Return the facts in the first 26 bytes of a FLAC stream, None where they are not there."""
    if len(head) < 26 or head[4] & 0x7F:
        return None
    # 20 bits rate, 3 bits channels - 1, 5 bits bits - 1, 36 bits samples.
    packed = int.from_bytes(head[18:26], "big")
    return StreamInfo((packed >> 36 & 31) + 1, packed & (1 << 36) - 1 or None)
