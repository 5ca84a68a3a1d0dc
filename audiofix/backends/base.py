"""What a backend offers: one protocol per task, and the typed requests that tasks make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.streaming.stage import Stage


@dataclass(frozen=True, slots=True)
class UpsampleRequest:
    """Restore the high band and return sound at `to_rate`.

    Attributes:
        to_rate: samples per second of the result.
        cutoff_hz: where the input's band ends; None finds it while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
    """

    to_rate: int
    cutoff_hz: float | None = None
    steps: int | None = None


class Restorer(Protocol):
    """A loaded model that turns sound into better sound. Serves any number of streams."""

    name: str
    rate: int
    """Samples per second at which the model itself works."""

    def stage(self, source: AudioFormat, request: UpsampleRequest) -> Stage:
        """Return a fresh stage for one stream of this format."""
        ...


class FrameEncoder(Protocol):
    """One stream of sound on its way to codes. However it is cut, the codes are the same."""

    def push(self, chunk: Chunk) -> Codes:
        """Accept the next samples `[channels, n]` and return every frame that is now final."""
        ...

    def flush(self) -> Codes:
        """End the stream and return what is left: in total ceil(samples / hop) frames."""
        ...


class FrameDecoder(Protocol):
    """One stream of codes on its way to sound. However it is cut, the samples are the same."""

    def push(self, codes: Codes) -> Chunk:
        """Accept the next frames and return every sample `[channels, n]` that is now final."""
        ...

    def flush(self) -> Chunk:
        """End the stream and return what is left: in total frames * hop samples."""
        ...


class Codec(Protocol):
    """A loaded model that turns sound into codes and back. Serves any number of streams."""

    name: str
    layout: CodeLayout
    """Of one channel."""

    def encoder(self, source: AudioFormat) -> FrameEncoder:
        """Return a fresh encoder for one stream of this format."""
        ...

    def decoder(self, channels: int) -> FrameDecoder:
        """Return a fresh decoder for one stream of so many channels."""
        ...

    def roundtrip(self, source: AudioFormat) -> Stage:
        """Return a fresh stage that encodes and decodes, its result of the source's format."""
        ...


Config = Mapping[str, object]
"""The settings of a network as its checkpoint or a parity file spells them."""
