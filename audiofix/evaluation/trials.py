"""The comparisons of one evaluation: which there are, and doing them all."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiofix.audio.tree import matched
from audiofix.errors import AudiofixError, InputError
from audiofix.evaluation.comparison import Comparison, Excerpt, Measuring, Result
from audiofix.evaluation.file_comparison import compare_files
from audiofix.jobs.options import Shell

log = logging.getLogger(__name__)


Trial = Callable[[], Comparison]
"""A comparison that is still to be made; it may raise an AudiofixError."""


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
        partial(compare, name, *pair)
        for name, pair in matched(reference, estimate).items()
        if included(name)
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
                comparison = trial()
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
