"""Gaps cut into a recording and filled again: what is measured lies inside the gaps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.audio.source import open_source, raise_fault
from audiofix.backends.systems import chosen_model, load_for
from audiofix.backends.tasks import Gaps, InpaintRequest
from audiofix.errors import InputError, UsageError
from audiofix.evaluation.comparison import (
    EXCERPT_SECONDS,
    REFERENCE,
    Comparison,
    Excerpt,
    Measuring,
    Result,
)
from audiofix.jobs.options import Computing
from audiofix.metrics.ratios import RatioMeter
from audiofix.metrics.spectral import SpectralMeter
from audiofix.streaming.stage import Stage

ZEROS = "zeros"
_SILENCE = 1e-3
"""RMS of the reference inside a gap below which there is nothing to restore."""

_SEAM_SECONDS = 0.001
"""On each side of an edge: where a click would be."""

_AROUND_SECONDS = 0.02
"""On each side of a gap: what the seams are compared with."""

GapStageMaker = Callable[[AudioFormat, Gaps], Stage]
"""Gives a fresh stage that fills the gaps of a stream of this format."""


@dataclass(frozen=True, slots=True)
class GapPlan:
    """Gaps of one length, in the middle of every so many seconds (A2SB's protocol).

    Attributes:
        length: of a gap in seconds.
        every: seconds from one gap to the next.
    """

    length: float
    every: float

    @classmethod
    def parse(cls, text: str) -> "GapPlan":
        """Return the plan that `LENGTH:EVERY` in seconds says.

        Raises:
            UsageError: it says something else.

        >>> GapPlan.parse("0.15:2")
        GapPlan(length=0.15, every=2.0)
        """
        length, _, every = text.partition(":")
        try:
            plan = cls(float(length), float(every))
        except ValueError:
            plan = cls(0, 0)
        if not 0 < plan.length < plan.every:
            raise UsageError(f"--gaps {text}: not LENGTH:EVERY in seconds: write 0.15:5")
        return plan

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.length:g}:{self.every:g}"

    def gaps(self, samples: int, rate: int) -> Gaps:
        """Return the gaps of a recording; one in the middle where it is shorter than `every`."""
        count = int(samples / rate / self.every)
        if not count:
            middle = samples / rate / 2
            return ((middle - self.length / 2, middle + self.length / 2),)
        offset = (self.every - self.length) / 2
        starts = [place * self.every + offset for place in range(count)]
        return tuple((start, start + self.length) for start in starts)


def gap_fillers(computing: Computing, seed: int) -> dict[str, GapStageMaker]:
    """Return what fills gaps, by name: the model that was asked for, and the default of `inpaint`.

    Args:
        computing: which model, and where it computes.
        seed: of what it draws.

    Raises:
        CheckpointError: the model is not to be had.
    """

    def maker(model: str) -> GapStageMaker:
        restorer = load_for("inpaint", replace(computing, model=model))

        def make_stage(source: AudioFormat, gaps: Gaps) -> Stage:
            stage: Stage = restorer.stage(source, InpaintRequest(gaps, seed=seed))
            return stage

        return make_stage

    models = chosen_model("inpaint", computing.model), chosen_model("inpaint", None)
    return {model: maker(model) for model in dict.fromkeys(models)}


def compare_gaps(
    name: str, path: Path, plan: GapPlan, makers: Mapping[str, GapStageMaker], measuring: Measuring
) -> Comparison:
    """Measure inside the gaps what each method makes of a recording without them, beside zeros.

    Gaps in which the recording is silent are left out.

    Args:
        name: what to call it.
        path: the recording.
        plan: where the gaps are.
        makers: method -> the stage that fills gaps.
        measuring: what is measured.

    Raises:
        InputError: the recording cannot be read, or is silent or too short for a gap.
    """
    clean, audio = _read(path)
    samples, rate = clean.shape[1], audio.rate
    gaps = tuple(
        (round(start * rate), round(end * rate)) for start, end in plan.gaps(samples, rate)
    )
    gaps = tuple(
        (start, end)
        for start, end in gaps
        if start > 0 and end < samples and _rms(clean[:, start:end]) > _SILENCE
    )
    if not gaps:
        raise InputError(f"{path}: too short or too quiet for such gaps: leave it out")
    damaged = clean.copy()
    for start, end in gaps:
        damaged[:, start:end] = 0
    spans = tuple((start / rate, end / rate) for start, end in gaps)
    sounds, results = {REFERENCE: clean}, []
    for method, make in {**makers, ZEROS: None}.items():
        begin = perf_counter()
        made = damaged if make is None else _filled(make(audio, spans), damaged)
        rtf = (perf_counter() - begin) * rate / samples
        sounds[method] = made
        scores = {**_scores(made, clean, gaps, rate, measuring), "rtf": rtf}
        known = {metric: scores.get(metric, float("nan")) for metric in measuring.metrics}
        inside = sum(end - start for start, end in gaps)
        results.append(Result(name, None, method, rate, inside, known))
    wanted = round(EXCERPT_SECONDS * rate)
    excerpt = {method: as_chunk(sound[:, :wanted]) for method, sound in sounds.items()}
    kept = Excerpt(name, None, rate, excerpt) if measuring.excerpt else None
    return Comparison(tuple(results), kept)


def _scores(
    made: Chunk, clean: Chunk, gaps: tuple[tuple[int, int], ...], rate: int, measuring: Measuring
) -> dict[str, float]:
    ratios = RatioMeter(len(clean))
    distances, levels, seams = [], [], []
    for start, end in gaps:
        pair = made[:, start:end], clean[:, start:end]
        ratios.push(*pair)
        spectral = SpectralMeter(measuring.definition, rate, len(clean))
        spectral.push(*pair)
        distances.append(spectral.values()["lsd"])
        levels.append(_decibel(_rms(pair[0]) / _rms(pair[1])))
        seams.append(_seam(made, start, end, rate))
    means = {"lsd": distances, "level": list(map(abs, levels)), "seam": list(map(abs, seams))}
    return {**ratios.values(), **{metric: float(np.mean(x)) for metric, x in means.items()}}


def _seam(made: Chunk, start: int, end: int, rate: int) -> float:
    """Return the second difference at a gap's edges against that of its surroundings, in dB."""
    bend = np.diff(made.astype(np.float64), 2, axis=1)
    near, far = max(4, round(_SEAM_SECONDS * rate)), round(_AROUND_SECONDS * rate)
    edges = [bend[:, max(0, edge - near) : edge + near] for edge in (start, end)]
    sides = [bend[:, max(0, start - far) : start - near], bend[:, end + near : end + far]]
    seam, around = (np.concatenate(parts, axis=1) for parts in (edges, sides))
    return _decibel(_rms(seam) / max(_rms(around), 1e-9))


def _filled(stage: Stage, damaged: Chunk) -> Chunk:
    return np.concatenate([stage.push(damaged), stage.flush()], axis=1)


def _read(path: Path) -> tuple[Chunk, AudioFormat]:
    with open_source(path) as source:
        chunks = [empty_chunk(source.format.channels)]
        while (chunk := source.read(1 << 16)).shape[1]:
            chunks.append(chunk)
        raise_fault(source)
        return np.concatenate(chunks, axis=1), source.format


def _rms(x: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.asarray(x, np.float64) ** 2)))


def _decibel(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-6)))
