"""What a loaded model offers: one protocol per task, and one request with its options."""

from collections.abc import Callable, Iterator, Mapping
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


LatentKind = Literal["z", "w"]
"""Gaussian vectors, or what the mapping network makes of them."""


@dataclass(frozen=True, slots=True)
class Latents:
    """What recordings are made of.

    Attributes:
        kind: `z` or `w`.
        values: `[recordings, dimensions]`; of kind `w` also `[recordings, styles, dimensions]`, one
            for each layer.
    """

    kind: LatentKind
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class StyleMix:
    """Latents that some layers take instead of the recording's own.

    Attributes:
        latents: whose styles are taken; used in turn if there are fewer than recordings.
        first: the first style that is replaced; 0 is the input's.
        last: the last one.
    """

    latents: Latents
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Make sound from nothing.

    Attributes:
        count: how many recordings.
        seed: of the latents.
        truncation: from 0, every recording the average one, to 1, the model's whole variety.
        latents: used instead of drawn ones, all of them, whatever `count` says.
        interpolate: recordings between each latent and the next.
        batch_draw: draw all latents as one array, as the authors' program does. Else each
            recording has a generator of its own, and is the same whatever `count` is.
        mix: styles of others that some layers take.
    """

    count: int = 1
    seed: int = 0
    truncation: float = 1.0
    latents: Latents | None = None
    interpolate: int = 0
    batch_draw: bool = False
    mix: StyleMix | None = None


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

    def drawn(self, count: int, seed: int) -> Latents:
        """Return the Gaussian vectors that recordings of this seed are made of."""
        ...

    def latents(self, request: GenerateRequest) -> Latents:
        """Return what `samples` makes sound of, one row a recording; loading them repeats it."""
        ...

    def match(
        self, sound: Chunk, steps: int, progress: Callable[[int], None] | None = None
    ) -> Latents:
        """Return the latents whose sound comes nearest to a recording, found by descent.

        Args:
            sound: `[1, samples]` at the model's rate.
            steps: of the descent.
            progress: is told the steps done.
        """
        ...

    def samples(self, request: GenerateRequest) -> Iterator[Chunk]:
        """Yield one whole recording `[channels, samples]` after the other."""
        ...


@dataclass(frozen=True, slots=True)
class Classification:
    """What a classifier makes of recordings.

    Attributes:
        features: `[recordings, features]`, before the last layer.
        probabilities: `[recordings, labels]`, float64.
    """

    features: NDArray[np.float32]
    probabilities: NDArray[np.float64]


class Classifier(Protocol):
    """A loaded classifier that generators are evaluated by."""

    name: str
    rate: int
    """Samples per second of the sound that it takes."""
    labels: int
    """Classes that it tells apart."""

    def classify(self, sound: Chunk) -> Classification:
        """Return what it makes of recordings `[recordings, samples]`."""
        ...
