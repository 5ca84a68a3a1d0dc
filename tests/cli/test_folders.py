"""Batches: trees, failures, reruns, kills."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import soundfile
from cli.commands import Run, command_line


@pytest.fixture
def tree(tmp_path: Path, recording: Path) -> Path:
    """`in/one.wav`, `in/deep/two.wav`, and a text that is no audio."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(recording, folder / "one.wav")
    shutil.copy(recording, folder / "deep" / "two.wav")
    (folder / "notes.txt").write_text("not audio")
    return folder


def results(folder: Path) -> dict[str, int]:
    """Return the length of every file below `folder`, by its name relative to it."""
    return {
        str(path.relative_to(folder)): soundfile.info(path).frames
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".part"
    }


def test_a_tree_is_mirrored_to_the_same_bytes_by_any_number_of_processes(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    for jobs in ("1", "2"):
        words = ("upsample", "in", "-o", f"out{jobs}", "--to", "8k", "-m", model, "-j", jobs)
        done = audiofix(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert results(tmp_path / f"out{jobs}") == {"deep/two.wav": 4000, "one.wav": 4000}
    for name in ("one.wav", "deep/two.wav"):
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def test_failures_are_collected_and_a_rerun_finishes(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    broken = tree / "broken.wav"
    broken.write_bytes((tree / "one.wav").read_bytes()[:30])
    words = ("upsample", "in", "-o", "out", "--to", "8k", "-m", model)
    done = audiofix(*words, "-j", "2", cwd=tmp_path)
    assert done.returncode == 7
    assert results(tmp_path / "out") == {"deep/two.wav": 4000, "one.wav": 4000}
    *table, last = done.stderr.decode().splitlines()
    (row,) = [line for line in table if "broken.wav" in line]
    assert row.split()[:2] == ["in/broken.wav", "3"]
    assert last.startswith("audiofix: 1 of 3 files failed")

    before = (tmp_path / "out" / "one.wav").stat().st_mtime_ns
    shutil.copy(tree / "one.wav", broken)
    (tmp_path / "out" / ".one.wav.01234567.audiofix-part").write_bytes(b"left by a killed run")
    (tmp_path / "out" / "one.wav.part").write_bytes(b"the user's own")
    again = audiofix(*words, cwd=tmp_path)
    assert again.returncode == 0
    assert b"2 of 3 files are there already" in again.stderr
    assert results(tmp_path / "out") == {
        "broken.wav": 4000, "deep/two.wav": 4000, "one.wav": 4000,
    }  # fmt: skip
    assert (tmp_path / "out" / "one.wav").stat().st_mtime_ns == before
    assert not list((tmp_path / "out").glob(".*"))
    assert (tmp_path / "out" / "one.wav.part").read_bytes() == b"the user's own"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_fail_fast_ends_with_the_status_of_the_file(
    jobs: str, audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    (tree / "a.wav").write_bytes((tree / "one.wav").read_bytes()[:30])
    done = audiofix("upsample", "in", "-o", "out", "--to", "8k", "-m", model, "-j", jobs,
                    "--fail-fast", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.count(b"\n") == 1 and b"a.wav" in done.stderr
    assert not list((tmp_path / "out").rglob("*.audiofix-part"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_model_that_does_not_load_ends_the_batch(
    jobs: str, audiofix: Run, tree: Path, tmp_path: Path
) -> None:
    done = audiofix("upsample", "in", "-o", "out", "--to", "8k", "-m", "none-such", "-j", jobs,
                    cwd=tmp_path)  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_an_ended_batch_leaves_no_half_file_and_a_rerun_finishes(
    number: signal.Signals,
    status: int,
    audiofix: Run,
    tree: Path,
    model: Path,
    tmp_path: Path,
    environment: Mapping[str, str],
) -> None:
    samples, rate = soundfile.read(tree / "one.wav", dtype="float32")
    for count in range(3):
        soundfile.write(tree / f"long{count}.wav", list(samples) * 96, rate)
    words = ["upsample", "in", "-o", "out", "--to", "8k", "-m", model, "-j", "2"]
    with subprocess.Popen(
        command_line([*words, "-v"]), stderr=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as process:
        assert process.stderr
        # Two processes are inside their files once this line has come.
        assert any(b"long0.wav: 8000 Hz" in line for line in process.stderr)
        process.send_signal(number)
        process.stderr.read()  # ends when the workers, too, have ended
        assert process.wait(60) == status
    out = tmp_path / "out"
    if number != signal.SIGKILL:  # after that, the rerun clears up
        assert not list(out.rglob("*.audiofix-part"))
    lengths = {path.name: soundfile.info(path).frames for path in out.rglob("*.wav")}
    assert all(frames in (4000, 384_000) for frames in lengths.values())
    assert len(lengths) < 5
    if number != signal.SIGKILL:
        return
    assert audiofix(*words[:-2], cwd=tmp_path).returncode == 0
    assert sorted(results(out).values()) == [4000, 4000, *[384_000] * 3]


def test_a_manifest_and_its_shards_with_a_journal(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tree.rglob("*.wav"))[:2]
    (tmp_path / "files.csv").write_text("\n".join(["input", *names, "in/gone.wav"]) + "\n")
    words = ["upsample", "--manifest", "files.csv", "-o", "out", "--to", "8k", "-m", model]
    done = audiofix(*words, "--shard", "2/2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert [path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".jsonl"] == [
        "audiofix-journal-2-of-2.jsonl"
    ]
    done = audiofix(*words, cwd=tmp_path)
    assert done.returncode == 7 and b"gone.wav" in done.stderr
    journal = tmp_path / "out" / "audiofix-journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {line["output"]: line["status"] for line in lines} == {
        f"out/{names[0]}": 0,
        "out/in/gone.wav": 3,
    }
    made = (tmp_path / lines[0]["output"]).read_bytes()
    assert lines[0]["bytes"] == len(made)
    assert lines[0]["sha256"] == hashlib.sha256(made).hexdigest()
    # Once recorded, an output may have been taken elsewhere: it is not made again.
    (tmp_path / lines[0]["output"]).unlink()
    done = audiofix(*words, cwd=tmp_path)
    assert done.returncode == 7
    assert not (tmp_path / lines[0]["output"]).exists()


def test_a_cut_input_is_done_again_until_it_is_whole(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    """Its fragment is written, and does not count, however old the mended input is."""
    whole = (tree / "one.wav").read_bytes()
    (tree / "one.wav").write_bytes(whole[: len(whole) // 2])
    words = ("upsample", "in", "-o", "out", "--to", "8k", "-m", model)
    out = tmp_path / "out"
    for _ in range(2):
        done = audiofix(*words, cwd=tmp_path)
        assert done.returncode == 7 and b"cut" in done.stderr
        assert 1900 < results(out)["one.wav"] < 2000
    assert b"1 of 2 files are there already" in done.stderr
    (tree / "one.wav").write_bytes(whole)
    os.utime(tree / "one.wav", (1, 1))
    assert audiofix(*words, cwd=tmp_path).returncode == 0
    assert results(out) == {"deep/two.wav": 4000, "one.wav": 4000}


def test_one_cut_input_is_done_again_too(
    audiofix: Run, recording: Path, model: Path, tmp_path: Path
) -> None:
    whole = recording.read_bytes()
    recording.write_bytes(whole[:1000])
    words = ("upsample", recording, "-o", tmp_path / "y.wav", "--to", "8k", "-m", model)
    assert audiofix(*words).returncode == 3
    recording.write_bytes(whole)
    assert audiofix(*words).returncode == 6
    assert audiofix(*words, "--skip-existing").returncode == 0
    assert soundfile.info(tmp_path / "y.wav").frames == 4000
    done = audiofix(*words, "--skip-existing")
    assert done.returncode == 0 and b"exists: skipped" in done.stderr


def test_an_output_older_than_its_input_is_told(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    words = ("upsample", "in", "-o", "out", "--to", "8k", "-m", model)
    audiofix(*words, cwd=tmp_path)
    os.utime(tmp_path / "out/one.wav", (1e9, 1e9))
    done = audiofix(*words, cwd=tmp_path)
    assert done.returncode == 0
    assert b"out/one.wav: older than in/one.wav: --overwrite" in done.stderr
    assert b"two.wav: older" not in done.stderr


def test_several_inputs_do_not_make_a_folder_that_is_named_like_a_file(
    audiofix: Run, recording: Path, tmp_path: Path
) -> None:
    words = ("upsample", recording, recording, "--to", "8k", "-o", tmp_path / "out.wav")
    done = audiofix(*words)
    assert done.returncode == 2 and b"several inputs need a folder" in done.stderr
    assert not (tmp_path / "out.wav").exists()


def test_a_start_behind_the_end_is_told(
    audiofix: Run, recording: Path, model: Path, tmp_path: Path
) -> None:
    words = ("upsample", recording, "--to", "8k", "-m", model, "--start", "9")
    done = audiofix(*words, "-o", tmp_path / "y.wav")
    assert done.returncode == 0 and b"ends at 0.500 s, before the start" in done.stderr


def test_an_output_folder_that_cannot_be_made_is_told(
    audiofix: Run, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = audiofix("upsample", recording, "--to", "8k", "-o", f"{tmp_path}/file/out/")
    assert done.returncode == 6 and b"choose another folder" in done.stderr
    words = ("upsample", recording.parent, "--to", "8k")
    done = audiofix(*words, "-o", tmp_path / "file" / "out")
    assert done.returncode == 6 and done.stderr.count(b"choose another folder") == 1


def test_files_whose_rates_leave_nothing_to_restore_are_named(
    audiofix: Run, tree: Path, model: Path, tmp_path: Path
) -> None:
    rate = soundfile.info(tree / "one.wav").samplerate
    for to, lines in ((rate, 2), (rate + 1, 0)):
        words = ("upsample", "in", "-o", f"to{to}", "--to", str(to), "-m", model)
        done = audiofix(*words, cwd=tmp_path)
        told = [line.decode() for line in done.stderr.splitlines()]
        assert [line.split(": ")[1] for line in told] == ["in/deep/two.wav", "in/one.wav"][:lines]
        assert all(f"{rate} Hz in, {to} Hz out: only a band" in line for line in told)
