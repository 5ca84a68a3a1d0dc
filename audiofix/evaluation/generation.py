"""A generator, measured by what a classifier makes of its recordings and of real ones."""

import csv
import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.source import open_source
from audiofix.backends.tasks import Classification, Classifier, GenerateRequest, Generator
from audiofix.errors import InputError
from audiofix.metrics.generation import (
    am_score,
    different_bins,
    frechet_distance,
    inception_score,
    linear_separability,
    modified_inception_score,
)
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import through

log = logging.getLogger(__name__)

_BATCH = 32
_SURE = 0.9
_LONGEST_SECONDS = 10
_FEWEST = 100


@dataclass(frozen=True, slots=True)
class GeneratorScores:
    """What was found; natural logarithms throughout.

    Attributes:
        recordings: how many were classified.
        sure: share that is classified with a probability over 0.9.
        classes: share of each class.
        inception_score: sure and varied; higher is better.
        modified_inception_score: varied within classes too; higher is better.
        am_score: class frequencies beside the training data's, and unsureness; lower is better.
        frechet_distance: of the classifier's features, to the real recordings'.
        different_bins: share of 50 clusters that are filled otherwise than by real recordings.
        linear_separability: of classes by latents; 1 is best; None for real recordings.
    """

    recordings: int
    sure: float
    classes: tuple[float, ...]
    inception_score: float
    modified_inception_score: float
    am_score: float
    frechet_distance: float
    different_bins: float
    linear_separability: float | None = None


def evaluate_generator(
    model: Generator,
    classifier: Classifier,
    real: Mapping[str, Iterable[Path]],
    *,
    count: int,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> dict[str, GeneratorScores]:
    """Return the scores of generated recordings, and of held-out real ones.

    Args:
        model: makes recordings.
        classifier: the classifier.
        real: files `train`, which everything is compared with, and `validation`.
        count: recordings to generate.
        seed: of the latents.
        progress: is told the recordings generated.

    Raises:
        InputError: there are too few recordings for the scores.
    """
    if count < _FEWEST:
        raise InputError(f"--count {count}: scores need {_FEWEST} recordings at least")
    reference = _classified(classifier, _read(real["train"], classifier.rate))
    held_out = _classified(classifier, _read(real["validation"], classifier.rate))
    request = GenerateRequest(count, seed)
    made = _classified(classifier, _told(_generated(model, request, classifier.rate), progress))
    latents = model.latents(request).values
    return {
        "generated": _scores(reference, made, latents),
        "held-out": _scores(reference, held_out, None),
    }


def scores_table(found: Mapping[str, GeneratorScores]) -> str:
    """Return the scores as lines for people."""
    rows = {name: _row(scores) for name, scores in found.items()}
    names = list(next(iter(rows.values())))
    width = max(len(name) for name in names) + 2
    lines = ["".ljust(width) + "".join(column.rjust(12) for column in rows)]
    for name in names:
        cells = (row[name] for row in rows.values())
        lines.append(
            name.ljust(width)
            + "".join(("–" if cell is None else f"{cell:.4g}").rjust(12) for cell in cells)
        )
    return "\n".join(lines) + "\n"


def scores_json(found: Mapping[str, GeneratorScores], about: Mapping[str, object]) -> str:
    """Return the scores, and what they are of, as JSON."""
    scores = {name: asdict(one) for name, one in found.items()}
    return json.dumps({**about, "scores": scores}, indent=2) + "\n"


def scores_csv(found: Mapping[str, GeneratorScores]) -> str:
    """Return the scores as CSV, a row for each set of recordings."""
    text = io.StringIO()
    rows = [{"recordings_of": name, **_row(scores)} for name, scores in found.items()]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(scores: GeneratorScores) -> dict[str, float | None]:
    row: dict[str, float | None] = {}
    for name, value in asdict(scores).items():
        if name == "classes":
            row |= {f"class {label}": share for label, share in enumerate(value)}
        else:
            row[name] = value
    return row


def _scores(
    reference: Classification, found: Classification, latents: np.ndarray | None
) -> GeneratorScores:
    probabilities = found.probabilities
    labels = probabilities.argmax(1)
    shares = np.bincount(labels, minlength=probabilities.shape[1]) / len(labels)
    return GeneratorScores(
        recordings=len(labels),
        sure=float((probabilities.max(1) > _SURE).mean()),
        classes=tuple(map(float, shares)),
        inception_score=inception_score(probabilities),
        modified_inception_score=modified_inception_score(probabilities),
        am_score=am_score(reference.probabilities, probabilities),
        frechet_distance=frechet_distance(reference.features, found.features),
        different_bins=different_bins(reference.features, found.features),
        linear_separability=_separability(latents, probabilities),
    )


def _separability(latents: np.ndarray | None, probabilities: np.ndarray) -> float | None:
    if latents is None:
        return None
    if not find_spec("sklearn"):
        log.warning("linear separability left out: it needs scikit-learn: pip install scikit-learn")
        return None
    return linear_separability(latents.reshape(len(latents), -1), probabilities)


def _classified(classifier: Classifier, recordings: Iterable[Chunk]) -> Classification:
    """Classify recordings `[samples]` of one length, a batch at a time."""
    parts: list[Classification] = []
    batch: list[Chunk] = []
    for recording in recordings:
        batch.append(recording)
        if len(batch) == _BATCH:
            parts.append(classifier.classify(np.stack(batch)))
            batch = []
    if batch:
        parts.append(classifier.classify(np.stack(batch)))
    if not parts:
        raise InputError("eval: no real recordings: name a folder or a manifest with --data")
    return Classification(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
    )


def _generated(model: Generator, request: GenerateRequest, rate: int) -> Iterator[Chunk]:
    for sound in model.samples(request):
        yield _one_second(_resampled(sound, model.rate, rate), rate)


def _read(paths: Iterable[Path], rate: int) -> Iterator[Chunk]:
    for path in paths:
        with open_source(path) as source:
            sound = source.read(_LONGEST_SECONDS * source.format.rate)
            yield _one_second(_resampled(sound[:1], source.format.rate, rate), rate)


def _resampled(sound: Chunk, own_rate: int, rate: int) -> Chunk:
    resampled: Chunk = through(Resample(AudioFormat(own_rate, 1), rate), sound)[0]
    return resampled


def _one_second(sound: Chunk, rate: int) -> Chunk:
    """Return `[rate]` samples, the middle kept, so that recordings can be stacked."""
    missing = rate - len(sound)
    if missing >= 0:
        return np.pad(sound, (missing // 2, missing - missing // 2))
    start = -missing // 2
    return np.ascontiguousarray(sound[start : start + rate])


def _told(recordings: Iterable[Chunk], progress: Callable[[int], None] | None) -> Iterator[Chunk]:
    for done, recording in enumerate(recordings, 1):
        yield recording
        if progress:
            progress(done)
