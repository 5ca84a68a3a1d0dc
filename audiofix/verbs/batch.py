"""Many files through one effect: finished ones skipped, failures collected."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audiofix.audio.destination import PART
from audiofix.audio.folder import Pair
from audiofix.errors import AudiofixError, BatchError, OutputError
from audiofix.verbs.effect import Effect, Writing
from audiofix.verbs.failure import Failure, failure_of
from audiofix.verbs.options import AudioOptions, Shell

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        pair: the file.
        failure: why it failed, None if it did not.
        fatal: whether the model did not load, so that every other file would fail alike.
    """

    pair: Pair
    failure: Failure | None = None
    fatal: bool = False


def run_batch(
    pairs: list[Pair], effect: Effect, writing: Writing, options: AudioOptions, shell: Shell
) -> None:
    """Process every pair that is not done yet.

    Raises:
        BatchError: some files failed; the others are complete.
        AudiofixError: the first failure, with `options.keep_going` off, or the failure of the
            model itself.
    """
    todo = _unfinished(pairs, overwrite=options.overwrite)
    failed: list[Outcome] = []
    with shell.bar("files", len(todo), "file") as tick:
        for done, outcome in enumerate(_outcomes(todo, effect, writing, options), start=1):
            if tick:
                tick(done)
            if outcome.failure is None:
                log.info("%s: done", outcome.pair.result)
                continue
            if outcome.fatal or not options.keep_going:
                raise outcome.failure.error()
            failed.append(outcome)
    if failed:
        _show(failed)
        raise BatchError(
            f"{len(failed)} of {len(pairs)} files failed: the others are complete: "
            "mend what the table says and run again, finished files are skipped"
        )


def _unfinished(pairs: list[Pair], *, overwrite: bool) -> list[Pair]:
    """Return the pairs without a result, and clear what a killed run left of any."""
    for pair in pairs:
        pair.result.with_name(pair.result.name + PART).unlink(missing_ok=True)
    if overwrite:
        return pairs
    todo = [pair for pair in pairs if not pair.result.exists()]
    if len(todo) < len(pairs):
        log.warning(
            "%d of %d files are there already: skipped; --overwrite makes them again",
            len(pairs) - len(todo),
            len(pairs),
        )
    return todo


def _outcomes(
    todo: list[Pair], effect: Effect, writing: Writing, options: AudioOptions
) -> Iterable[Outcome]:
    if options.ray is not None:
        from audiofix.verbs.cluster import ray_outcomes

        return ray_outcomes(todo, effect, writing, options.ray)
    if options.jobs > 1 and len(todo) > 1:
        from audiofix.verbs.workers import worker_outcomes

        return worker_outcomes(todo, effect, writing, jobs=options.jobs)
    return _own_outcomes(todo, effect, writing)


def _own_outcomes(todo: list[Pair], effect: Effect, writing: Writing) -> Iterator[Outcome]:
    loaded = functools.cache(effect.load)
    for pair in todo:
        yield attempt(pair, effect, loaded, writing)


class _ModelFailed(Exception):
    """Carries what went wrong while the model loaded past what can go wrong with one file."""


def attempt(pair: Pair, effect: Effect, loaded: Callable[[], Any], writing: Writing) -> Outcome:
    """Process one file; whatever goes wrong becomes its outcome."""

    def marked() -> Any:
        try:
            return loaded()
        except Exception as error:
            raise _ModelFailed from error

    try:
        _make_folder(pair)
        effect.process(pair, marked, writing)
    except _ModelFailed as error:
        return _failed(pair, error.__cause__ or error, fatal=True)
    except Exception as error:
        return _failed(pair, error, fatal=False)
    return Outcome(pair)


def _make_folder(pair: Pair) -> None:
    try:
        pair.result.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{pair.result.parent}: {error.strerror}: choose another output folder"
        ) from error


def _failed(pair: Pair, error: BaseException, *, fatal: bool) -> Outcome:
    if not isinstance(error, AudiofixError):
        log.info("%s: this is how it came about", pair.source, exc_info=error)
    return Outcome(pair, failure_of(error), fatal)


def _show(failed: list[Outcome]) -> None:
    """Print what failed, and why, as a table on standard error."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=False)
    if not console.is_terminal:
        console = Console(stderr=True, width=200)
    table = Table("file", "status", "reason", box=None, title="failed", title_justify="left")
    table.columns[0].overflow = table.columns[2].overflow = "fold"
    for outcome in sorted(failed, key=lambda one: one.pair.source):
        if outcome.failure:
            name = str(outcome.pair.source)
            reason = outcome.failure.message.removeprefix(f"{name}: ")
            table.add_row(Text(name), str(int(outcome.failure.status)), Text(reason))
    console.print(table)
