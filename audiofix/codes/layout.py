"""What a stream of codes is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeLayout:
    """What decides how codes are read and who can decode them.

    Attributes:
        model: name of the codec.
        checkpoint: first 16 hex digits of the codebooks' sha256: who shares them can decode.
        rate: samples per second of the decoded sound.
        channels: independent streams of codes, one each a channel.
        hop: samples per frame.
        codebooks: codes per frame.
        bits: per code.
    """

    model: str
    checkpoint: str
    rate: int
    channels: int
    hop: int
    codebooks: int
    bits: int
