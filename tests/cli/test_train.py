"""`audiofix train` as a user starts, kills and resumes it, on a tiny corpus and network."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiofix.trainers.recipes import RECIPES
from cli.commands import Run, command_line
from scipy.signal import lfilter

STEPS = 50
TINY = [
    "--config", "vmasr-small", "--device", "cpu", "--threads", "1",
    *(word for setting in (
        "start=", "model.dims=4", "model.depths=[1,1,1]", "data.frames=16", "data.speeds=[1.0]",
        "data.band.rates=[16000]", "data.validation_rates=[16000]", "loop.batch=2",
        f"loop.steps={STEPS}", "loop.optimisers.generator.warmup_steps=5",
        "loop.optimisers.generator.rate=5e-3", "loop.log_every=1",
        "loop.save_every=4", "loop.validate_every=20", "loop.examples=1",
    ) for word in ("--set", setting)),
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    generator = np.random.default_rng(0)
    for number in range(4):
        # Its level falls with frequency, faster than the overtones do: there is much to learn.
        sound = lfilter([0.05], [1, -0.95], generator.standard_normal(24000))
        soundfile.write(folder / f"{number}.wav", sound, 48000)
    return folder


@pytest.fixture(scope="module")
def undisturbed(audiofix: Run, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    done = audiofix("train", "vmasr", "--data", corpus, "--out", run, *TINY)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert done.stderr.decode() == f"{run / 'last.safetensors'}\n"
    return run


def log_of(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "items_per_second"} for line in lines]


def stopped(
    words: Sequence[str | Path], run: Path, step: int, number: int, env: Mapping[str, str]
) -> int:
    """Start a command, send it a signal once its log has a step, and return its status."""
    log = run / "log.jsonl"
    with subprocess.Popen(command_line(words), env=env, stderr=subprocess.DEVNULL) as process:
        while not log.exists() or f'{{"step": {step},' not in log.read_text():
            try:
                raise AssertionError(f"ended before step {step}: {process.wait(0.005)}")
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(number)
        return process.wait(60)


def test_the_loss_falls_and_what_was_trained_restores(
    audiofix: Run, undisturbed: Path, tmp_path: Path
):
    losses = [line["generator.total"] for line in log_of(undisturbed) if "generator.total" in line]
    assert len(losses) == STEPS
    assert max(losses[-10:]) < min(losses[:10])
    figures = [line["validation.lsd"] for line in log_of(undisturbed) if "validation.lsd" in line]
    assert len(figures) == 4 and figures[-1] < figures[0]
    assert len(list((undisturbed / "examples").glob("*.png"))) == 4
    assert len(list(undisturbed.glob("best-*.safetensors"))) == 1

    source, result = tmp_path / "x.wav", tmp_path / "y.wav"
    soundfile.write(source, 0.1 * np.random.default_rng(1).standard_normal(8001), 16000)
    model = undisturbed / "last.safetensors"
    done = audiofix("upsample", source, "--to", "48k", "-m", model, "-o", result)
    assert done.returncode == 0, done.stderr.decode()
    restored, rate = soundfile.read(result)
    assert rate == 48000 and restored.size == 24003
    spectrum = np.abs(np.fft.rfft(restored))
    assert spectrum[10000:].mean() > 0.01 * spectrum[:7000].mean()  # there was nothing above 8 kHz


@pytest.mark.slow
def test_sigterm_then_sigkill_then_the_same_bytes(
    audiofix: Run,
    environment: Mapping[str, str],
    corpus: Path,
    undisturbed: Path,
    tmp_path: Path,
):
    run = tmp_path / "run"
    words: list[str | Path] = ["train", "vmasr", "--data", corpus, "--out", run]
    again = [*words, "--resume", "--threads", "1"]  # its other settings are in the folder
    generator = np.random.default_rng(4)
    first, second = int(generator.integers(3, 15)), int(generator.integers(22, 45))
    status = stopped([*words, *TINY], run, first, signal.SIGTERM, environment)
    assert status == 143
    assert log_of(run)[-1]["step"] >= first
    # Resumed without its settings: they are in the folder.
    status = stopped(
        [*words, "--resume", "--threads", "1"], run, second, signal.SIGKILL, environment
    )
    assert status == -signal.SIGKILL
    done = audiofix(*again)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode() == f"{run / 'last.safetensors'}\n"
    assert log_of(run) == log_of(undisturbed)
    for path in undisturbed.glob("*.safetensors"):
        assert (run / path.name).read_bytes() == path.read_bytes()


def test_other_settings_on_the_way_are_told(audiofix: Run, corpus: Path, undisturbed: Path):
    words = ["train", "vmasr", "--data", corpus, "--out", undisturbed]
    refused = audiofix(*words)
    assert refused.returncode == 6
    assert b"holds a run: add --resume" in refused.stderr
    before = (undisturbed / "settings.json").read_bytes()
    done = audiofix(
        *words, "--resume", "--set", "loop.optimisers.generator.rate=1e-4", "--set", "loop.steps=50"
    )
    assert done.returncode == 0
    assert b"goes on with other settings: loop.optimisers.generator.rate\n" in done.stderr
    assert (undisturbed / "settings.json").read_bytes() != before


def test_a_dry_run_tells_and_writes_nothing(audiofix: Run, corpus: Path, tmp_path: Path):
    done = audiofix(
        "train", "vmasr", "--data", corpus, "--out", tmp_path / "run", *TINY, "--dry-run"
    )
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode()
    assert "training recordings      3, 0.0 minutes" in said
    for words in ("generator parameters", "seconds a step", "memory at its peak"):
        assert words in said
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_setting_ends_with_one_line(audiofix: Run, corpus: Path, tmp_path: Path):
    words = ["--set", "loop.stepz=3"]
    done = audiofix("train", "vmasr", "--data", corpus, "--out", tmp_path / "run", *words)
    assert done.returncode == 2
    assert b"loop.stepz: no such setting: did you mean loop.steps?" in done.stderr
    assert done.stderr.count(b"\n") == 1 and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_shards_read_by_worker_processes_train_as_files_read_by_threads(
    audiofix: Run, corpus: Path, tmp_path: Path
):
    shards, index = tmp_path / "shards", tmp_path / "index.csv"
    shards.mkdir()
    for place in range(2):
        with tarfile.open(shards / f"{place}.tar", "w") as tar:
            for number in (2 * place, 2 * place + 1):
                tar.add(corpus / f"{number}.wav", f"{number}.wav")
    indexing = ["train", "vmasr", "--data", shards, "--index", "--out", index]
    done = audiofix(*indexing)
    assert (done.returncode, done.stderr.decode()) == (0, f"{index}: 4 recordings\n")
    assert audiofix(*indexing).returncode == 6  # it exists
    plain = tmp_path / "plain.csv"
    rows = [line.split(",") for line in index.read_text().splitlines()]
    names = [[row[0], f"{corpus}/{Path(row[1]).name}", row[2]] for row in rows[1:]]
    plain.write_text("\n".join(map(",".join, [rows[0][:3], *names])) + "\n")
    few = ["--set", "loop.steps=3", "--set", "loop.workers=2"]
    for data, words in ((index, ["--set", "loop.worker_processes=true"]), (plain, [])):
        run = tmp_path / data.stem
        done = audiofix("train", "vmasr", "--data", data, "--out", run, *TINY, *few, *words)
        assert done.returncode == 0, done.stderr.decode()
    results = [(tmp_path / name / "last.safetensors").read_bytes() for name in ("index", "plain")]
    assert results[0] == results[1]


def test_an_index_for_no_system_and_of_nothing(audiofix: Run, tmp_path: Path):
    words = ["--data", tmp_path, "--index", "--out", tmp_path / "index.csv"]
    assert audiofix("train", "vmasrr", *words).returncode == 2
    done = audiofix("train", "vmasr", *words)
    assert done.returncode == 3 and b"holds no sound" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_inside_its_data_is_refused(audiofix: Run, corpus: Path):
    done = audiofix("train", "vmasr", "--data", corpus, "--out", corpus / "run", *TINY)
    assert done.returncode == 2
    assert b"is inside --data" in done.stderr


def test_an_unreadable_recording_ends_with_one_line(audiofix: Run, corpus: Path, tmp_path: Path):
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    rows = f"train,bad.wav,1\nvalid,{corpus}/0.wav,1\n"
    (tmp_path / "m.csv").write_text("split,file_path,duration\n" + rows)
    done = audiofix("train", "vmasr", "--data", tmp_path / "m.csv", "--out", tmp_path / "r", *TINY)
    assert done.returncode == 3
    assert b"bad.wav" in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.slow
def test_under_torchrun_one_process_speaks_and_writes(
    environment: Mapping[str, str], corpus: Path, tmp_path: Path
):
    run = tmp_path / "run"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    words = ["train", "vmasr", "--data", corpus, "--out", run, *TINY, "--set", "loop.steps=2"]
    done = subprocess.run(
        [sys.executable, *launcher, "audiofix", *words],
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        cwd=os.fspath(tmp_path),
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert done.stderr.decode().count(f"{run / 'last.safetensors'}\n") == 1
    assert [line["step"] for line in log_of(run)] == [0, 1, 2, 2]


def test_help_names_every_system(audiofix: Run):
    done = audiofix("train", "--help")
    words = set(re.findall(r"[\w.]+", done.stdout.decode().partition("SYSTEM is")[2]))
    assert set(RECIPES) <= {word.rstrip(".") for word in words}


def test_data_that_is_not_there_is_told_before_torch_is_loaded(audiofix: Run, tmp_path: Path):
    done = audiofix("train", "vmasr", "--data", tmp_path / "none", "--out", tmp_path / "run")
    assert done.returncode == 3 and b"none: does not exist" in done.stderr
    assert not (tmp_path / "run").exists()
