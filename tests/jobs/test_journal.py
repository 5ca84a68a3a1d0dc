import json
from pathlib import Path

import pytest

from audiofix.errors import OutputError
from audiofix.exit_status import ExitStatus
from audiofix.jobs.attempt import Made, Outcome
from audiofix.jobs.failures import Failure
from audiofix.jobs.job import Job
from audiofix.jobs.journal import Journal

JOBS = [Job(f"{name}.wav", Path(f"{name}.wav"), Path(f"out/{name}.flac")) for name in "abc"]
FAILED = Failure(ExitStatus.INPUT, "b.wav: cut")


def test_what_is_done_is_not_pending_and_what_failed_is(tmp_path):
    with Journal(tmp_path / "out") as journal:
        assert journal.pending(JOBS) == JOBS
        journal.record(Outcome(JOBS[0], made=Made(12, "ab")))
        journal.record(Outcome(JOBS[1], FAILED))
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert lines == [
        {"input": "a.wav", "output": "out/a.flac", "status": 0, "bytes": 12, "sha256": "ab"},
        {"input": "b.wav", "output": "out/b.flac", "status": 3, "reason": "b.wav: cut"},
    ]
    with Journal(tmp_path / "out") as journal:
        assert journal.pending(JOBS) == JOBS[1:]


def test_the_last_line_counts_and_a_cut_one_does_not(tmp_path):
    with Journal(tmp_path) as journal:
        journal.record(Outcome(JOBS[0]))
        journal.record(Outcome(JOBS[0], FAILED))
        journal.record(Outcome(JOBS[1]))
    with journal.path.open("a") as file:
        file.write('{"input": "c.wav", "output": "out/c.flac", "stat')  # as a kill leaves it
    with Journal(tmp_path) as journal:
        assert journal.pending(JOBS) == [JOBS[0], JOBS[2]]
        journal.record(Outcome(JOBS[2]))
    with Journal(tmp_path) as journal:
        assert journal.pending(JOBS) == [JOBS[0]]


def test_each_shard_has_its_own(tmp_path):
    with Journal(tmp_path, (3, 16)) as journal:
        assert journal.path.name == "audiofix-journal-3-of-16.jsonl"


def test_a_folder_that_cannot_be_made_is_the_outputs_fault(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="audiofix-journal.jsonl"):
        Journal(tmp_path / "file" / "out")
