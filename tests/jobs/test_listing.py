from pathlib import Path

import pytest

from audiofix.errors import InputError, UsageError
from audiofix.jobs.job import Job
from audiofix.jobs.listing import manifest_jobs, shard_of


def written(folder, text):
    path = folder / "files.csv"
    path.write_text(text)
    return path


def test_inputs_keep_their_places_or_have_the_output_that_is_said(tmp_path):
    rows = f"input,output\na/x.flac,\nb/y.mp3,named/z.wav\n{tmp_path}/far.wav,\n../up.wav,\n"
    found = manifest_jobs(written(tmp_path, rows), Path("out"), None)
    assert [(job.source, job.output) for job in found] == [
        (tmp_path / "a/x.flac", Path("out/a/x.flac")),
        (tmp_path / "b/y.mp3", Path("out/named/z.wav")),
        (tmp_path / "far.wav", Path("out/far.wav")),
        (tmp_path / "../up.wav", Path("out/up.wav")),
    ]


def test_a_training_manifest_will_do(tmp_path):
    rows = "split,file_path,duration\ntrain,x.wav,1.0\n"
    (job,) = manifest_jobs(written(tmp_path, rows), Path("out"), "flac")
    assert (job.source, job.output) == (tmp_path / "x.wav", Path("out/x.flac"))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("name\nx.wav\n", InputError, "needs a column `input`"),
        ("input\n", InputError, "has no rows"),
        ("input\na/x.wav\na/x.flac\n", UsageError, "two rows become out/a/x.wav"),
    ],
)
def test_what_is_no_manifest(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        manifest_jobs(written(tmp_path, text), Path("out"), "wav")


def test_a_missing_manifest_is_the_inputs_fault(tmp_path):
    with pytest.raises(InputError, match="no.csv: No such file"):
        manifest_jobs(tmp_path / "no.csv", Path("out"), None)


def test_shards_are_disjoint_and_complete():
    jobs = [Job(str(number), None, None) for number in range(10)]
    shards = [shard_of(jobs, (number, 3)) for number in (1, 2, 3)]
    assert [[job.name for job in shard] for shard in shards] == [
        ["0", "3", "6", "9"],
        ["1", "4", "7"],
        ["2", "5", "8"],
    ]
    assert shard_of(jobs, None) == jobs
