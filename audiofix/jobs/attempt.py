"""Doing one job of many: whatever goes wrong becomes its outcome."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audiofix.audio.remote import url_of
from audiofix.audio.source import Source
from audiofix.errors import AudiofixError
from audiofix.files import make_folder
from audiofix.jobs.failures import Failure, failure_of
from audiofix.jobs.fragment import run_job
from audiofix.jobs.job import Effect, IOOptions, Job

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """The size and the SHA-256 of a file that was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job.

    Attributes:
        job: what was to be done.
        failure: why it failed, None if it did not.
        fatal: whether the model did not load, so that every other job would fail alike.
        made: the output, where a journal wants to know.
        sound_seconds: of its input that was worked through.
    """

    job: Job
    failure: Failure | None = None
    fatal: bool = False
    made: Made | None = None
    sound_seconds: float = 0.0


def attempt(job: Job, effect: Effect, loaded: Callable[[], Any], io: IOOptions) -> Outcome:
    """Do one job; whatever goes wrong becomes its outcome."""

    def marked() -> Any:
        try:
            return loaded()
        except Exception as error:
            raise _ModelFailed from error

    sound_seconds = 0.0

    def progress(source: Source) -> Callable[[int], None]:
        def done(samples: int) -> None:
            nonlocal sound_seconds
            sound_seconds = samples / source.format.rate

        return done

    try:
        if job.output is not None and not url_of(job.output):
            make_folder(job.output.parent)
        run_job(job, effect, marked, io, progress)
    except _ModelFailed as error:
        return _failed(job, error.__cause__ or error, fatal=True)
    except Exception as error:
        return _failed(job, error, fatal=False)
    return Outcome(job, made=_made(job) if io.digests else None, sound_seconds=sound_seconds)


def _made(job: Job) -> Made | None:
    if job.output is None or url_of(job.output):
        return None
    with job.output.open("rb") as file:
        return Made(job.output.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _failed(job: Job, error: BaseException, *, fatal: bool) -> Outcome:
    if not isinstance(error, AudiofixError):
        log.info("%s: this is how it came about", job.name, exc_info=error)
    return Outcome(job, failure_of(error), fatal)


class _ModelFailed(Exception):
    """Carries what went wrong while the model loaded past what can go wrong with one file."""
