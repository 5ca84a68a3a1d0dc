"""Many jobs of one effect: finished ones skipped, failures collected."""

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from audiofix.audio.remote import url_of
from audiofix.errors import BatchError
from audiofix.files import remove_left_overs
from audiofix.jobs.attempt import Outcome, attempt
from audiofix.jobs.fragment import is_done, is_older
from audiofix.jobs.job import Effect, IOOptions, Job
from audiofix.jobs.journal import Journal
from audiofix.jobs.options import AudioOptions, Shell
from audiofix.jobs.signals import Terminated
from audiofix.printable import printable

log = logging.getLogger(__name__)


def run_batch(
    jobs: Sequence[Job], effect: Effect, io: IOOptions, options: AudioOptions, shell: Shell
) -> None:
    """Do every job that is not done yet.

    Raises:
        BatchError: some files failed; the others are complete.
        AudiofixError: the first failure, with `options.keep_going` off, or the failure of the
            model itself.
    """
    begin = time.perf_counter()
    failed: list[Outcome] = []
    made, sound_seconds = 0, 0.0
    with ExitStack() as opened:
        journal = _journal(options)
        if journal:
            opened.enter_context(journal)
            jobs = jobs if options.overwrite else journal.pending(jobs)
        todo = _unfinished(jobs, overwrite=options.overwrite)
        opened.enter_context(_saying_how_to_go_on(lambda: len(todo) - made - len(failed)))
        tick = opened.enter_context(shell.bar("files", len(todo), "file"))
        for done, outcome in enumerate(_outcomes(todo, effect, io, options), start=1):
            sound_seconds += outcome.sound_seconds
            if tick:
                tick(done, _speed(sound_seconds, time.perf_counter() - begin))
            if journal:
                journal.record(outcome)
            if outcome.failure is None:
                made += 1
                log.info("%s: done", outcome.job.output)
                continue
            if outcome.fatal or not options.keep_going:
                raise outcome.failure.error()
            failed.append(outcome)
    if failed:
        _show(failed)
    elapsed = time.perf_counter() - begin
    shell.note(
        f"{made} file{'' if made == 1 else 's'} done, {len(jobs) - len(todo)} skipped, "
        f"{len(failed)} failed, in {elapsed:.1f} s"
        + (f", {_speed(sound_seconds, elapsed)}" if sound_seconds else "")
    )
    if failed:
        raise BatchError(
            f"{len(failed)} of {len(jobs)} files failed: the others are complete: "
            "mend what the table says and run again, finished files are skipped"
        )


def _speed(sound_seconds: float, seconds: float) -> str:
    """Return how much sound was worked through, and how fast.

    >>> _speed(5400.0, 360.0)
    '1.50 h of sound, 15 times real time'
    """
    long = sound_seconds >= 3600
    amount = f"{sound_seconds / 3600:.2f} h" if long else f"{sound_seconds:.1f} s"
    return f"{amount} of sound, {sound_seconds / seconds:.3g} times real time"


@contextmanager
def _saying_how_to_go_on(left: Callable[[], int]) -> Iterator[None]:
    """Tell whoever interrupts a batch how many files are left, and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, Terminated):
        log.warning(
            "interrupted: %d files are left: run it again, finished files are skipped", left()
        )
        raise


def _journal(options: AudioOptions) -> Journal | None:
    """Open the journal of a batch that comes from a manifest, or is one shard of many."""
    if options.output is None or not options.listed:
        return None
    return Journal(Path(options.output), options.shard)


def _unfinished(jobs: Sequence[Job], *, overwrite: bool) -> list[Job]:
    """Return the jobs without an output, and clear what a killed run left of any."""
    for job in jobs:
        if job.output is not None and not url_of(job.output) and job.output.parent.is_dir():
            remove_left_overs(job.output)
    if overwrite:
        return list(jobs)
    todo = []
    for job in jobs:
        if job.output is None or not is_done(job.output):
            todo.append(job)
        elif job.source is not None and is_older(job.output, job.source):
            log.warning("%s: older than %s: --overwrite makes it again", job.output, job.source)
    if len(todo) < len(jobs):
        log.warning(
            "%d of %d files are there already: skipped; --overwrite makes them again",
            len(jobs) - len(todo),
            len(jobs),
        )
    return todo


def _outcomes(
    todo: list[Job], effect: Effect, io: IOOptions, options: AudioOptions
) -> Iterable[Outcome]:
    if options.ray is not None:
        from audiofix.jobs.cluster import Needs, ray_outcomes

        needs = Needs(options.threads or 1, options.device)
        return ray_outcomes(todo, effect, io, options.ray, needs)
    if options.jobs > 1 and len(todo) > 1:
        from audiofix.jobs.workers import worker_outcomes

        return worker_outcomes(todo, effect, io, jobs=options.jobs)
    return _own_outcomes(todo, effect, io)


def _own_outcomes(todo: list[Job], effect: Effect, io: IOOptions) -> Iterator[Outcome]:
    loaded = functools.cache(effect.load)
    for job in todo:
        yield attempt(job, effect, loaded, io)


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
    for outcome in sorted(failed, key=lambda one: one.job.name):
        if outcome.failure:
            name = outcome.job.name
            reason = outcome.failure.message.removeprefix(f"{name}: ")
            status = str(int(outcome.failure.status))
            table.add_row(Text(printable(name)), status, Text(printable(reason)))
    console.print(table)
