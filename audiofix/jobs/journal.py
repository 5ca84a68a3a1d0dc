"""What became of the jobs of a long batch, as JSON lines beside the outputs.

A batch that goes on reads its journal and looks at no output: a million files need not be listed.
The last line about an input counts.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from audiofix.audio.remote import url_of
from audiofix.errors import OutputError, UsageError
from audiofix.files import output_error
from audiofix.jobs.attempt import Outcome
from audiofix.jobs.job import Job


class Journal:
    """The journal of a batch, or of one shard of it. In a `with`: closed at the end."""

    def __init__(self, folder: Path, shard: tuple[int, int] | None = None) -> None:
        """Open the journal, `audiofix-journal.jsonl`, and read what is in it.

        Args:
            folder: of the outputs; is made.
            shard: writes its own file, as many shards may write at once, `...-3-of-16.jsonl`.

        Raises:
            OutputError: it cannot be written.
            UsageError: the folder is in an object store, where nothing can be appended.
        """
        if url_of(folder):
            raise UsageError(
                f"{url_of(folder)}: a journal needs a local folder: leave --manifest and --shard "
                "out, or give the manifest a column `output` with URLs and a local -o"
            )
        part = f"-{shard[0]}-of-{shard[1]}" if shard else ""
        self.path = folder / f"audiofix-journal{part}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._done = _done(self.path)
            self._file = _appending(self.path)
        except OSError as error:
            raise output_error(self.path, error) from error

    def pending(self, jobs: Iterable[Job]) -> list[Job]:
        """Return the jobs that are not recorded as done."""
        return [job for job in jobs if str(job.output) not in self._done]

    def record(self, outcome: Outcome) -> None:
        """Write what became of a job.

        Raises:
            OutputError: the journal cannot be written.
        """
        job, failure, made = outcome.job, outcome.failure, outcome.made
        line: dict[str, object] = {"input": job.name, "output": str(job.output)}
        if failure:
            line |= {"status": int(failure.status), "reason": failure.message}
        else:
            line |= {"status": 0}
        if made:
            line |= {"bytes": made.bytes, "sha256": made.sha256}
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise output_error(self.path, error) from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}: free some space") from error


def _done(path: Path) -> set[str]:
    """Return the outputs whose last line says that they were made."""
    done: set[str] = set()
    if not path.exists():
        return done
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                output, status = entry["output"], entry["status"]
            except (ValueError, LookupError, TypeError):
                continue  # the line that a kill cut short
            if status == 0:
                done.add(output)
            else:
                done.discard(output)
    return done


def _appending(path: Path) -> TextIO:
    """Open a file to append lines, after ending the one that a kill cut short."""
    file = path.open("a+b")
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    file.close()
    return path.open("a", encoding="utf-8")
