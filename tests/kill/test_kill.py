"""kill -9 at any moment: nothing half-written bears a real name, and the next run goes on.

AUDIOFIX_KILLS says how often each is killed.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import command_line
from file_server import running
from tiny import tiny_checkpoint, tiny_codec_checkpoint

from audiofix.checkpoints.download import sha256_of
from audiofix.codes.sound import CodedSound
from audiofix.files import is_unfinished

pytestmark = pytest.mark.timeout(0)  # how long it takes hangs on the machine and on KILLS
KILLS = int(os.environ.get("AUDIOFIX_KILLS", 2))
CONTENT = random.Random(0).randbytes(3_000_000)


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "AUDIOFIX_CACHE": str(tmp_path / "cache"), "AUDIOFIX_OFFLINE": "1"}


def kill_after(words, seconds, environment, cwd):
    """Start a command, kill it and its children, and tell whether it had ended by itself."""
    process = subprocess.Popen(
        words, env=environment, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(seconds)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return ended


def run(words, environment, cwd):
    """Run a command to its end and return the seconds it took."""
    begin = time.monotonic()
    subprocess.run(words, env=environment, cwd=cwd, check=True, capture_output=True)
    return time.monotonic() - begin


def unfinished(folder):
    return [path for path in Path(folder).rglob("*") if is_unfinished(path)]


@pytest.mark.slow
def test_encode(tmp_path, environment):
    model = tiny_codec_checkpoint(tmp_path / "m.safetensors")
    x = 0.1 * np.random.default_rng(0).standard_normal(8000 * 120)
    soundfile.write(tmp_path / "x.wav", x, 8000)
    words = command_line(["encode", "x.wav", "-m", model, "-o", "x.afc"])
    whole = run(words, environment, tmp_path)
    expected = (tmp_path / "x.afc").read_bytes()
    for number in range(KILLS):
        (tmp_path / "x.afc").unlink(missing_ok=True)
        kill_after(words, whole * random.Random(number).uniform(0.3, 1.0), environment, tmp_path)
        if (tmp_path / "x.afc").exists():
            assert (tmp_path / "x.afc").read_bytes() == expected
            (tmp_path / "x.afc").unlink()
        run(words, environment, tmp_path)
        assert (tmp_path / "x.afc").read_bytes() == expected
        assert not unfinished(tmp_path)
    assert CodedSound.load(tmp_path / "x.afc").samples == 8000 * 120


@pytest.mark.slow
def test_a_batch_in_two_processes(tmp_path, environment):
    model = tiny_checkpoint(tmp_path / "m.safetensors", rate=8000)
    (tmp_path / "in").mkdir()
    for number in range(6):
        x = 0.1 * np.random.default_rng(number).standard_normal(8000)
        soundfile.write(tmp_path / f"in/{number}.wav", x, 4000)
    words = command_line(["upsample", "in", "-o", "out", "--to", "8k", "-m", model, "-j", "2"])
    whole = run(words, environment, tmp_path)
    expected = {path.name: sha256_of(path) for path in (tmp_path / "out").iterdir()}
    assert len(expected) == 6
    for number in range(KILLS):
        for path in (tmp_path / "out").iterdir():
            path.unlink()
        kill_after(words, whole * random.Random(number).uniform(0.3, 1.0), environment, tmp_path)
        for path in (tmp_path / "out").iterdir():
            assert is_unfinished(path) or sha256_of(path) == expected[path.name]
        run(words, environment, tmp_path)
        found = {path.name: sha256_of(path) for path in (tmp_path / "out").iterdir()}
        assert found == expected


@pytest.mark.slow
def test_a_training_run(tmp_path, environment):
    (tmp_path / "data").mkdir()
    for number in range(3):
        x = 0.1 * np.random.default_rng(number).standard_normal(24000)
        soundfile.write(tmp_path / f"data/{number}.wav", x, 48000)
    settings = (
        "start=", "model.dims=4", "model.depths=[1,1,1]", "data.frames=16", "data.speeds=[1.0]",
        "data.band.rates=[16000]", "data.validation_rates=[16000]", "loop.batch=2",
        "loop.steps=24", "loop.save_every=3", "loop.validate_every=12",
    )  # fmt: skip
    chosen = [word for setting in settings for word in ("--set", setting)]

    def words(folder, *more):
        start = ["train", "vmasr", "--config", "vmasr-small", "--data", "data", "--device", "cpu"]
        return command_line([*start, "--out", folder, *chosen, *more])

    whole = run(words("undisturbed"), environment, tmp_path)
    expected = (tmp_path / "undisturbed/last.safetensors").read_bytes()
    for number in range(KILLS):
        folder = tmp_path / f"killed{number}"
        for again in range(2):
            moment = whole * random.Random(10 * number + again).uniform(0.2, 0.9)
            kill_after(words(folder, "--resume"), moment, environment, tmp_path)
        run(words(folder, "--resume"), environment, tmp_path)
        assert (folder / "last.safetensors").read_bytes() == expected
        assert not unfinished(folder)


PULL = """
import sys
from pathlib import Path
from audiofix.checkpoints import catalogue, store
entries = catalogue.read_catalogue(Path(sys.argv[1]).read_text())
catalogue.entries = store.entries = lambda: entries
store.ready("m", lambda entry, parts, target: target.write_bytes(parts["weights"].read_bytes()))
"""


def test_a_download(tmp_path, environment):
    del environment["AUDIOFIX_OFFLINE"]
    with running() as server:
        server.files["model.bin"] = CONTENT
        (tmp_path / "catalogue.toml").write_text(
            '[m]\nsystem = "toy"\nverbs = []\nrate = 1\nchannels = 1\nlicence = "-"\n'
            f'source = "https://example.org/x"\n[m.files.weights]\n'
            f'urls = ["{server.url}/model.bin"]\n'
        )
        words = [sys.executable, "-c", PULL, "catalogue.toml"]
        model = tmp_path / "cache/models/m.safetensors"
        for number in range(KILLS):
            server.hold = threading.Event()
            part = tmp_path / "cache/downloads/x-model.bin.part"
            process = subprocess.Popen(words, env=environment, cwd=tmp_path)
            while not part.exists() or part.stat().st_size < 1 << 20:
                assert process.poll() is None
                time.sleep(0.01)
            server.hold.set()
            time.sleep(random.Random(number).uniform(0, 0.05))
            process.kill()
            process.wait()
            assert not model.exists() or model.read_bytes() == CONTENT
            run(words, environment, tmp_path)
            assert model.read_bytes() == CONTENT and not unfinished(tmp_path / "cache")
            digest = model.with_suffix(".sha256").read_text().strip()
            assert digest == sha256_of(model)
            for path in (tmp_path / "cache").rglob("*"):
                if path.is_file():
                    path.unlink()
