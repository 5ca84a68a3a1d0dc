"""What an evaluation found, its means, and both as JSON and CSV."""

import csv
import io
import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from audiofix.evaluation.comparison import Result
from audiofix.metrics.bootstrap import CONFIDENCE, Interval, mean_interval
from audiofix.metrics.score import METRICS

ALL = "(all)"


@dataclass(frozen=True, slots=True)
class Mean:
    """Means over the recordings of a folder, or of all folders where the group is `(all)`."""

    group: str
    input_rate: int | None
    method: str
    files: int
    scores: Mapping[str, Interval]
    damage: str = ""

    @property
    def has_intervals(self) -> bool:
        """Whether means have a spread: those of one recording have none."""
        return self.files > 1

    @property
    def conditions(self) -> tuple[str, int | None, str]:
        """What methods are compared under: recordings, input rate and damage."""
        return self.group, self.input_rate, self.damage


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is reported.

    Attributes:
        subject: what was evaluated: the two inputs, or the model and the data.
        metrics: the columns.
        lsd: definition of the log-spectral distances.
        results: one row per recording, input rate and method.
        means: over recordings.
    """

    subject: Mapping[str, str]
    metrics: tuple[str, ...]
    lsd: Mapping[str, object]
    results: tuple[Result, ...]
    means: tuple[Mean, ...]


def means_of(results: Sequence[Result], metrics: Sequence[str], seed: int) -> tuple[Mean, ...]:
    """Return the means per folder, input rate and method, then over all folders if several."""
    groups = sorted({result.group for result in results})
    found = []
    for group in [*groups, ALL] if len(groups) > 1 else [ALL]:
        rows = [r for r in results if group in (r.group, ALL)]
        for key in dict.fromkeys((r.input_rate, r.damage, r.method) for r in rows):
            rate, damage, method = key
            same = [r.scores for r in rows if (r.input_rate, r.damage, r.method) == key]
            scores = {m: mean_interval([s[m] for s in same], seed) for m in metrics}
            found.append(Mean(group, rate, method, len(same), scores, damage))
    return tuple(found)


def heading(metric: str, preset: str = "") -> str:
    """Return a column's head: title, unit, and an arrow to where better is.

    Args:
        metric: name of it.
        preset: the definition of the log-spectral distances, named in their heads.
    """
    known = METRICS[metric]
    arrow = {"highest": "↑", "lowest": "↓"}.get(known.best, "→0")
    definition = f"({preset})" if preset and metric.startswith("lsd") else ""
    return " ".join(filter(None, (known.title, definition, known.unit, arrow)))


def best_methods(findings: Findings) -> set[tuple[Hashable, ...]]:
    """Return conditions, method and metric of each mean that no other method betters.

    Means count as equal that are printed alike. A metric that only one method has marks nobody.
    """
    found: set[tuple[Hashable, ...]] = set()
    for conditions in dict.fromkeys(mean.conditions for mean in findings.means):
        rivals = [mean for mean in findings.means if mean.conditions == conditions]
        for metric in findings.metrics:
            means = {m.method: round(m.scores[metric].mean, METRICS[metric].digits) for m in rivals}
            means = {method: value for method, value in means.items() if not math.isnan(value)}
            if len(means) > 1:
                best = min(_loss(metric, value) for value in means.values())
                equal = (m for m, value in means.items() if _loss(metric, value) == best)
                found |= {(*conditions, method, metric) for method in equal}
    return found


def _loss(metric: str, value: float) -> float:
    """Return what is smaller the better a value is."""
    return {"highest": -value, "lowest": value}.get(METRICS[metric].best, abs(value))


def input_label(input_rate: int | None, damage: str) -> str:
    """Return what a model was given, for people: a rate, a codec, or a dash where all is whole."""
    rate = f"{input_rate} Hz" if input_rate else ""
    return ", ".join(filter(None, (rate, damage))) or "–"


def number(metric: str, value: float) -> str:
    """Return a value for people."""
    return "–" if math.isnan(value) else f"{value:.{METRICS[metric].digits}f}"


def as_json(findings: Findings) -> str:
    """Return everything as JSON; what is not defined is null."""
    document = {
        "subject": dict(findings.subject),
        "metrics": {
            name: {"unit": METRICS[name].unit, "best": METRICS[name].best}
            for name in findings.metrics
        },
        "lsd": dict(findings.lsd),
        "confidence": CONFIDENCE,
        "means": [
            {
                **_labels(mean.group, mean.input_rate, mean.method, mean.damage),
                "files": mean.files,
                "scores": {name: _interval(score) for name, score in mean.scores.items()},
            }
            for mean in findings.means
        ],
        "results": [
            {
                "name": result.name,
                **_labels(result.group, result.input_rate, result.method, result.damage),
                "rate": result.rate,
                "samples": result.samples,
                "scores": {name: _defined(score) for name, score in result.scores.items()},
            }
            for result in findings.results
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(findings: Findings) -> str:
    """Return the results as CSV, a row each; what is not defined is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    labels = ["name", "group", "input_rate", "damage", "method", "rate", "samples"]
    writer.writerow([*labels, *findings.metrics])
    for r in findings.results:
        scores = [_defined(r.scores[name]) for name in findings.metrics]
        about = (r.name, r.group, r.input_rate, r.damage, r.method, r.rate, r.samples)
        writer.writerow([*about, *scores])
    return text.getvalue()


def _labels(group: str, input_rate: int | None, method: str, damage: str) -> dict[str, object]:
    return {"group": group, "input_rate": input_rate, "damage": damage or None, "method": method}


def _interval(score: Interval) -> dict[str, object]:
    ends = {"mean": score.mean, "low": score.low, "high": score.high}
    return {**{name: _defined(end) for name, end in ends.items()}, "files": score.files}


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
