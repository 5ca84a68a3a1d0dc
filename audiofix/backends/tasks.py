"""What a loaded model offers: one protocol per task, and one request with its options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.streaming.stage import Stage

Config = Mapping[str, object]
"""The settings of a network as its checkpoint or a parity file spells them."""

Sampler = Literal["fast", "published"]
"""How a diffusion model comes from noise to sound."""

Gaps = tuple[tuple[float, float], ...]
"""Start and end of each gap in seconds, in order, none overlapping."""

Edges = Literal["extended", "published"]


@dataclass(frozen=True, slots=True)
class UpsampleRequest:
    """Restore the high band and return sound at `to_rate`.

    Attributes:
        to_rate: samples per second of the result.
        cutoff_hz: where the input's band ends; None finds it while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
        seed: of whatever the model draws; the same seed gives the same samples.
        sampler: see `InpaintRequest`.
    """

    to_rate: int
    cutoff_hz: float | None = None
    steps: int | None = None
    seed: int = 0
    sampler: Sampler = "fast"


@dataclass(frozen=True, slots=True)
class DecodeRestoreRequest:
    """Undo what a lossy codec did.

    Attributes:
        to_rate: samples per second of the result; None keeps the input's.
        seed: of whatever the model draws.
        edges: `extended` lets the model see sound beyond the end, so that what it does at ends
            stays out of the result; `published` ends where the sound ends.
    """

    to_rate: int | None = None
    seed: int = 0
    edges: Edges = "extended"


@dataclass(frozen=True, slots=True)
class InpaintRequest:
    """Fill gaps.

    Attributes:
        gaps: where they are; None finds them while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
        seed: of whatever the model draws.
        sampler: how a diffusion model walks: `fast`, or as its authors `published` it.
    """

    gaps: Gaps | None = None
    steps: int | None = None
    seed: int = 0
    sampler: Sampler = "fast"


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
