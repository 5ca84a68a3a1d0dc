"""Outputs of inputs that failed: what there was of an input is written, but does not count as done.

A fragment bears the date 1970-01-01, so that every later run knows it, whatever became of its
input, and everybody sees it in a listing.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiofix.audio.remote import is_there
from audiofix.jobs.job import PIPE, Effect, IOOptions, Job, Progress


def run_job(
    job: Job,
    effect: Effect,
    loaded: Callable[[], Any],
    io: IOOptions,
    progress: Progress | None = None,
) -> None:
    """Do one job; a fragment that an earlier run left is replaced, a new one is marked.

    Raises:
        AudiofixError: why the job failed.
    """
    before = _stamp(job.output)
    if job.output is not None and is_fragment(job.output):
        io = replace(io, overwrite=True)
    try:
        effect.run(job, loaded, io, progress)
    except Exception:
        if job.output is not None and _stamp(job.output) not in (None, before):
            with suppress(OSError):
                os.utime(job.output, (0, 0))
        raise


def is_done(output: Path) -> bool:
    """Tell whether an output exists and is no fragment."""
    return is_there(output) and not is_fragment(output)


def is_fragment(output: Path) -> bool:
    """Tell whether an output is what there was of an input that failed."""
    return output != PIPE and output.is_file() and output.stat().st_mtime == 0


def is_older(output: Path, source: Path) -> bool:
    """Tell whether an output was made of an earlier version of its input."""
    with suppress(OSError):
        return output.stat().st_mtime < source.stat().st_mtime
    return False


def _stamp(output: Path | None) -> tuple[int, int] | None:
    """Return what tells one version of an output from the next, None where there is no file."""
    if output is None or output == PIPE or not output.is_file():
        return None
    status = output.stat()
    return status.st_ino, status.st_mtime_ns
