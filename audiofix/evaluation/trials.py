"""The comparisons of one evaluation: which there are, and doing them all."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiofix.audio.lossy import Coding
from audiofix.audio.tree import matched
from audiofix.errors import AudiofixError, InputError
from audiofix.evaluation.codec_comparison import compare_codec
from audiofix.evaluation.comparison import (
    Comparison,
    Excerpt,
    Measuring,
    Result,
    StageMaker,
    compare_model,
)
from audiofix.evaluation.file_comparison import compare_files
from audiofix.evaluation.gap_comparison import GapPlan, GapStageMaker, compare_gaps
from audiofix.evaluation.lossy_comparison import compare_coding, compare_pair
from audiofix.jobs.options import Shell
from audiofix.streaming.codec import Codec
from audiofix.streaming.roundtrip import RoundTrip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison that is still to be made; `work` may raise an AudiofixError."""

    name: str
    work: Callable[[], Comparison]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of all trials: results in their order, the first excerpts, and what failed."""

    results: tuple[Result, ...]
    excerpts: tuple[Excerpt, ...]
    failures: tuple[AudiofixError, ...]


def file_trials(
    reference: Path,
    estimate: Path,
    given: Path | None,
    included: Callable[[str], bool],
    measuring: Measuring,
) -> list[Trial]:
    """Return one trial for two files, or one for each name in either of two folders.

    Args:
        reference: file or folder.
        estimate: file or folder.
        given: what the estimates were made of, file or folder; None where it is not known.
        included: tells by its name whether a recording counts.
        measuring: how.

    Raises:
        InputError: one does not exist, or is a folder without audio.
        UsageError: one is a file, the other a folder.
    """
    made_of = {} if given is None else matched(reference, given)

    def compare(name: str, clean: Path | None, made: Path | None) -> Comparison:
        if clean is None or made is None:
            lacking = reference if clean is None else estimate
            raise InputError(f"{clean or made}: has no match in {lacking}: add it, or remove this")
        source = made_of.get(name, (None, None))[1]
        if given is not None and source is None:
            raise InputError(f"{clean}: has no match in {given}: add it, or leave --input out")
        return compare_files(name, clean, made, measuring, source)

    return [
        Trial(name, partial(compare, name, *pair))
        for name, pair in matched(reference, estimate).items()
        if included(name)
    ]


def model_trials(
    recordings: Mapping[str, Path],
    input_rates: Sequence[int],
    result_rate: int,
    make_stage: StageMaker,
    measuring: Measuring,
) -> list[Trial]:
    """Return a trial for each recording and input rate."""
    return [
        Trial(
            f"{name}, {rate} Hz",
            partial(compare_model, name, path, (rate, result_rate), make_stage, measuring),
        )
        for name, path in recordings.items()
        for rate in input_rates
    ]


def codec_trials(
    recordings: Mapping[str, Path], codec: Codec, measuring: Measuring, *, opus: bool
) -> list[Trial]:
    """Return a trial for each recording."""
    make_stage = partial(RoundTrip, codec)
    return [
        Trial(
            name, partial(compare_codec, name, path, codec.layout, make_stage, measuring, opus=opus)
        )
        for name, path in recordings.items()
    ]


def lossy_trials(
    recordings: Mapping[str, Path],
    codings: Sequence[Coding],
    make_stage: StageMaker,
    measuring: Measuring,
) -> list[Trial]:
    """Return a trial for each recording and coding."""
    return [
        Trial(
            f"{name}, {coding}", partial(compare_coding, name, path, coding, make_stage, measuring)
        )
        for name, path in recordings.items()
        for coding in codings
    ]


def pair_trials(
    pairs: Mapping[str, tuple[Path, Path]], make_stage: StageMaker, measuring: Measuring
) -> list[Trial]:
    """Return a trial for each original and its coded recording."""
    return [
        Trial(name, partial(compare_pair, name, *pair, make_stage, measuring))
        for name, pair in pairs.items()
    ]


def gap_trials(
    recordings: Mapping[str, Path],
    plan: GapPlan,
    makers: Mapping[str, GapStageMaker],
    measuring: Measuring,
) -> list[Trial]:
    """Return a trial for each recording."""
    return [
        Trial(name, partial(compare_gaps, name, path, plan, makers, measuring))
        for name, path in recordings.items()
    ]


def perform(trials: Sequence[Trial], excerpts: int, shell: Shell) -> Outcome:
    """Do every trial; one that fails is told at once unless it is the only one.

    Args:
        trials: what to do.
        excerpts: how many are kept.
        shell: progress.
    """
    results: list[Result] = []
    kept: list[Excerpt] = []
    failures: list[AudiofixError] = []
    with shell.bar("eval", len(trials), "trial") as tick:
        for done, trial in enumerate(trials, 1):
            try:
                comparison = trial.work()
            except AudiofixError as error:
                failures.append(error)
                if len(trials) > 1:
                    log.error("%s", error)
            else:
                results += comparison.results
                if comparison.excerpt and len(kept) < excerpts:
                    kept.append(comparison.excerpt)
            if tick:
                tick(done)
    return Outcome(tuple(results), tuple(kept), tuple(failures))
