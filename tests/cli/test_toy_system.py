"""A new system is one package and one row: every ordinary command then knows it."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from file_server import running
from toy_system.system import SYSTEM

import audiofix
from audiofix.backends import table
from audiofix.checkpoints import catalogue
from audiofix.cli.console import Console
from audiofix.cli.main import group
from audiofix.errors import CheckpointError

TABLE = """
[toy-double]
system = "toy"
verbs = ["upsample"]
rate = 16000
channels = 1
licence = "CC0"
source = "https://example.org/toy"
rank = 9
[toy-double.files.first]
urls = ["https://example.org/first.pt"]
[toy-double.files.second]
urls = ["https://example.org/second.pt"]
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in this process and returns what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    for variable in ("AUDIOFIX_OFFLINE", "AUDIOFIX_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(table, "SYSTEMS", (SYSTEM, *table.SYSTEMS))
    entries = {**catalogue.entries(), **catalogue.read_catalogue(TABLE)}
    for module in ("audiofix.checkpoints.catalogue", "audiofix.checkpoints.store"):
        monkeypatch.setattr(f"{module}.entries", lambda: entries)
    torch.save({"gain": torch.tensor([4.0])}, tmp_path / "first.pt")
    torch.save({"more": torch.tensor([0.5])}, tmp_path / "second.pt")
    soundfile.write(tmp_path / "x.wav", 0.1 * np.sin(np.arange(1600) / 5), 8000, "FLOAT")

    def command(*words):
        group.main(list(map(str, words)), standalone_mode=False, obj=Console())
        return capsys.readouterr().out

    with running() as server:
        for name in ("first.pt", "second.pt"):
            server.files[name] = Path(name).read_bytes()
        monkeypatch.setenv("AUDIOFIX_MIRROR", server.url)
        yield command


def gain_of(file):
    x, y = soundfile.read("x.wav")[0], soundfile.read(file)[0][::2]
    return float(y @ x / (x @ x))


def test_the_ordinary_commands_know_it(run, tmp_path):
    rows = {row["name"]: row for row in json.loads(run("models", "list", "--json"))}
    assert rows["toy-double"]["system"] == "toy" and rows["toy-double"]["state"] == "to fetch"

    path = Path(run("models", "pull", "toy-double").strip())
    assert path == tmp_path / "cache" / "models" / "toy-double.safetensors"
    assert all(row["intact"] for row in json.loads(run("models", "verify", "--json")))

    # The best that was pulled is the default, before what comes with audiofix.
    run("upsample", "x.wav", "--to", "16k", "-o", "default.wav")
    run("upsample", "x.wav", "--to", "16k", "-m", "best", "-o", "best.wav")
    for file in ("default.wav", "best.wav"):
        assert gain_of(file) == pytest.approx(2, rel=0.01)

    run("models", "export", "toy-double", "mine.safetensors")
    run("models", "import", "mine.safetensors")
    run("upsample", "x.wav", "--to", "16k", "-m", "mine", "-o", "mine.wav")
    assert Path("mine.wav").read_bytes() == Path("default.wav").read_bytes()

    run("models", "import", "first.pt", "--name", "half")
    run("upsample", "x.wav", "--to", "16k", "-m", "half", "-o", "half.wav")
    assert gain_of("half.wav") == pytest.approx(4, rel=0.01)

    Path("data").mkdir()
    Path("x.wav").rename("data/x.wav")
    words = ["--data", "data", "--input-rates", "4k", "--to", "8k", "--metrics", "snr"]
    found = json.loads(run("eval", "-m", "toy-double", *words, "--json", "-"))
    assert found["subject"]["model"] == "toy-double"

    run("models", "remove", "toy-double")
    with pytest.raises(CheckpointError, match="models pull"):
        run("models", "path", "toy-double")


def test_python_knows_it(run):
    x = np.ones((1, 100), np.float32)
    stage = audiofix.open_stage("upsample", rate=8000, channels=1, to=8000, model="toy-double")
    assert np.array_equal(np.concatenate([stage.push(x), stage.flush()], 1), 2 * x)
    assert audiofix.backends.build("toy", {}).gain.item() == 1
