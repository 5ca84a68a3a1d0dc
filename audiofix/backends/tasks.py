"""What a loaded model offers: one protocol per task, and one request with its options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.streaming.stage import Stage

Config = Mapping[str, object]
"""The settings of a network as its checkpoint or a parity file spells them."""

Gaps = tuple[tuple[float, float], ...]
"""Start and end of each gap in seconds, in order, none overlapping."""


@dataclass(frozen=True, slots=True)
class UpsampleRequest:
    """Restore the high band and return sound at `to_rate`.

    Attributes:
        to_rate: samples per second of the result.
        cutoff_hz: where the input's band ends; None finds it while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
        seed: of whatever the model draws; the same seed gives the same samples.
    """

    to_rate: int
    cutoff_hz: float | None = None
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class DecodeRestoreRequest:
    """Undo what a lossy codec did.

    Attributes:
        to_rate: samples per second of the result; None keeps the input's.
        seed: of whatever the model draws.
    """

    to_rate: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class InpaintRequest:
    """Fill gaps.

    Attributes:
        gaps: where they are; None finds them while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
        seed: of whatever the model draws.
    """

    gaps: Gaps | None = None
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Make sound from nothing.

    Attributes:
        count: how many recordings.
        seed: of the latents.
        truncation: from 0, every recording the average one, to 1, the model's whole variety.
        latents: `[count, dimensions]`, used instead of drawn ones.
        interpolate: recordings between each latent and the next.
    """

    count: int = 1
    seed: int = 0
    truncation: float = 1.0
    latents: NDArray[np.float32] | None = None
    interpolate: int = 0


Request = TypeVar("Request", contravariant=True)


class Restorer(Protocol[Request]):
    """A loaded model that turns sound into better sound. Serves any number of streams."""

    name: str
    rate: int
    """Samples per second at which the model itself works."""

    def stage(self, source: AudioFormat, request: Request) -> Stage:
        """Return a fresh stage for one stream of this format."""
        ...


class Generator(Protocol):
    """A loaded model that makes sound from latents."""

    name: str
    rate: int
    """Samples per second of its sound."""

    def latents(self, request: GenerateRequest) -> NDArray[np.float32]:
        """Return the latents `[recordings, dimensions]` that `samples` will use."""
        ...

    def samples(self, request: GenerateRequest) -> Iterator[Chunk]:
        """Yield one whole recording `[channels, samples]` after the other."""
        ...


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

    def encoder(self, source: AudioFormat, use: Use = "file") -> FrameEncoder:
        """Return a fresh encoder for one stream of this format."""
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

    def roundtrip(self, source: AudioFormat, use: Use = "file") -> Stage:
        """Return a fresh stage that encodes and decodes, its result of the source's format."""
        ...
