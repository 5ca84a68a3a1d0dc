"""Long lists of jobs: a manifest instead of names, and a part of it for each of many machines."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from audiofix.audio.remote import open_text, url_of
from audiofix.audio.types import type_like
from audiofix.errors import InputError, UsageError
from audiofix.jobs.job import Job

_INPUT_COLUMNS = ("input", "file_path")


def manifest_jobs(manifest: Path, folder: Path, kind: str | None) -> list[Job]:
    """Return the jobs of a manifest: a CSV file with a column `input` and perhaps one `output`.

    The columns of a training manifest will do. No file is looked at, so that a million rows cost
    seconds; what is wrong with one is its job's failure.

    Args:
        manifest: names in it that are not absolute begin at its folder.
        folder: where outputs go. Without a column `output` an input keeps its place below the
            manifest's folder, an absolute one its name.
        kind: the type of the outputs; None for each input's own where it can be written, else WAV.

    Raises:
        InputError: the manifest cannot be read, or lacks the column.
        UsageError: two rows would become one output.
    """
    jobs, taken = [], set()
    for source, wanted in _rows(manifest):
        path = Path(source) if url_of(source) else manifest.parent / source
        if not wanted:
            place = Path(source)
            elsewhere = place.is_absolute() or ".." in place.parts or url_of(source)
            place = Path(place.name) if elsewhere else place
            wanted = str(place.with_suffix(f".{kind or type_like(path)}"))
        output = Path(wanted) if url_of(wanted) else folder / wanted
        if output in taken:
            raise UsageError(f"{manifest}: two rows become {output}: give them another output")
        taken.add(output)
        jobs.append(Job(url_of(path) or str(path), path, output))
    if not jobs:
        raise InputError(f"{manifest}: has no rows: name the inputs in it")
    return jobs


def shard_of(jobs: Sequence[Job], shard: tuple[int, int] | None) -> list[Job]:
    """Return every `count`-th job, beginning with job `number`; all jobs for None.

    Every job is in exactly one of the shards, whatever machine lists it.

    Args:
        jobs: in an order that is the same on all machines.
        shard: `number`, counted from 1, and `count`.
    """
    if shard is None:
        return list(jobs)
    number, count = shard
    return list(jobs[number - 1 :: count])


def _rows(manifest: Path) -> Iterator[tuple[str, str]]:
    try:
        with open_text(manifest, "surrogateescape") as lines:
            reader = csv.DictReader(lines)
            columns = [name for name in _INPUT_COLUMNS if name in (reader.fieldnames or ())]
            if not columns:
                raise InputError(f"{manifest}: not a list of inputs: it needs a column `input`")
            for row in reader:
                if row[columns[0]]:
                    yield row[columns[0]], row.get("output") or ""
    except OSError as error:
        raise InputError(f"{manifest}: {error.strerror}: name a CSV file") from error
    except (csv.Error, UnicodeError) as error:
        raise InputError(f"{manifest}: not CSV ({error}): correct it") from error
