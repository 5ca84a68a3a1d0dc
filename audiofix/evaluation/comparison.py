"""Estimates beside their reference, scored while they arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.metrics.gaps import Spans
from audiofix.metrics.score import Scorer
from audiofix.metrics.spectral import Definition
from audiofix.streaming.lockstep import Lockstep

EXCERPT_SECONDS = 8.0
REFERENCE, SINC, MODEL = "reference", "sinc", "model"


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is measured.

    Attributes:
        metrics: names in `metrics.score.METRICS`.
        definition: of the log-spectral distances.
        edge_hz: where the input's band ends; None: half the input's rate, if that is known.
        excerpt: whether the beginnings are kept for people to see and hear.
    """

    metrics: tuple[str, ...]
    definition: Definition
    edge_hz: float | None
    excerpt: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One estimate of one recording.

    Attributes:
        name: of the recording, its folder in front.
        input_rate: what the model was given; None where two files are compared.
        method: `estimate`, and `input`, what it was made of; or `model` and what it is compared
            with: `sinc`, plain resampling, `coded`, what the codec gave back, and `opus`.
        rate: at which it was measured.
        samples: how many were.
        scores: metric -> value, NaN where it is not defined.
        damage: what was done to the recording besides resampling, `mp3:64k` for example.
    """

    name: str
    input_rate: int | None
    method: str
    rate: int
    samples: int
    scores: Mapping[str, float]
    damage: str = ""

    @property
    def group(self) -> str:
        """The folder that the recording lies in; empty at the top."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginnings `[channels, samples]` of a reference and its estimates, by method."""

    name: str
    input_rate: int | None
    rate: int
    sounds: Mapping[str, Chunk]
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one recording."""

    results: tuple[Result, ...]
    excerpt: Excerpt | None


class SideBySide:
    """Scores several estimates of one reference while they arrive."""

    def __init__(
        self,
        name: str,
        audio: AudioFormat,
        methods: Sequence[str],
        measuring: Measuring,
        gaps: Spans | None = None,
    ) -> None:
        """Start a comparison.

        Args:
            name: of the recording.
            audio: format of the reference and of every estimate.
            methods: what makes the estimates.
            measuring: what is measured.
            gaps: where alone it is measured, if not everywhere.
        """
        self._name = name
        self._audio = audio
        scoring = (measuring.metrics, audio, measuring.definition, measuring.edge_hz, gaps)
        self._inside = gaps and sum(end - start for start, end in gaps)
        self._scorers = {method: Scorer(*scoring) for method in methods}
        self._undefined = dict.fromkeys(measuring.metrics, np.nan)
        self._lockstep = Lockstep(1 + len(methods))
        self._excerpt: dict[str, list[Chunk]] = {m: [] for m in (REFERENCE, *methods)}
        self._wanted = round(EXCERPT_SECONDS * audio.rate) if measuring.excerpt else 0
        self.samples = 0

    def push(self, reference: Chunk, *estimates: Chunk) -> None:
        """Take in `[channels, n]` of each, any n."""
        ready = self._lockstep.push(reference, *estimates)
        for scorer, estimate in zip(self._scorers.values(), ready[1:], strict=True):
            scorer.push(estimate, ready[0])
        missing = max(0, self._wanted - self.samples)
        for parts, chunk in zip(self._excerpt.values(), ready, strict=True):
            parts.append(chunk[:, :missing].copy())
        self.samples += ready[0].shape[1]

    @property
    def seconds(self) -> float:
        """How long the reference is so far; never 0."""
        return max(1, self.samples) / self._audio.rate

    def comparison(
        self,
        input_rate: int | None,
        measured: Mapping[str, Mapping[str, float]],
        damage: str = "",
    ) -> Comparison:
        """Return what was found, beside what was measured elsewhere: method -> metric -> value."""
        results = []
        for method, scorer in self._scorers.items():
            scores = {**self._undefined, **scorer.scores(), **measured.get(method, {})}
            samples = self._inside or self.samples
            found = (self._name, input_rate, method, self._audio.rate, samples, scores)
            results.append(Result(*found, damage))
        if not self._wanted:
            return Comparison(tuple(results), None)
        sounds = {m: np.concatenate(parts, axis=1) for m, parts in self._excerpt.items()}
        excerpt = Excerpt(self._name, input_rate, self._audio.rate, sounds, damage)
        return Comparison(tuple(results), excerpt)
