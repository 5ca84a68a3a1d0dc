"""What a codec offers to streams of sound and of codes."""

from typing import Literal, Protocol

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.codes.layout import CodeLayout, Codes


class FrameEncoder(Protocol):
    """One stream of sound on its way to codes. However it is cut, the codes are the same."""

    def push(self, chunk: Chunk) -> Codes:
        """Accept the next samples `[channels, n]` and return every frame that is now final."""
        ...

    def flush(self) -> Codes:
        """End the stream and return the remaining frames: in total ceil(samples / hop)."""
        ...


class FrameDecoder(Protocol):
    """One stream of codes on its way to sound. However it is cut, the samples are the same."""

    def push(self, codes: Codes) -> Chunk:
        """Accept the next frames and return every sample `[channels, n]` that is now final."""
        ...

    def flush(self) -> Chunk:
        """End the stream and return the remaining samples: in total frames * hop."""
        ...


Use = Literal["file", "live"]
"""Whether a stream is worked through in large blocks, or frame by frame with the least delay."""


class Codec(Protocol):
    """A loaded model that turns sound into codes and back. Serves any number of streams."""

    name: str
    layout: CodeLayout
    """Of one channel."""
    denoises: bool
    """Whether its encoder leaves noise out."""

    def encoder(
        self, source: AudioFormat, use: Use = "file", *, codebooks: int | None = None
    ) -> FrameEncoder:
        """Return a fresh encoder for one stream of this format.

        Args:
            source: format of the stream.
            use: what matters.
            codebooks: how many to use, the first ones; None for all.
        """
        ...

    def decoder(
        self, channels: int, use: Use = "file", *, vocoder: bool | None = None
    ) -> FrameDecoder:
        """Return a fresh decoder for one stream of so many channels.

        Args:
            channels: of the stream.
            use: what matters.
            vocoder: whether to decode by its vocoder; None takes what it has.

        Raises:
            UsageError: it has no vocoder.
        """
        ...

    def latency(self, use: Use) -> int:
        """Return how many samples at its own rate wait in an encoder and a decoder together."""
        ...
