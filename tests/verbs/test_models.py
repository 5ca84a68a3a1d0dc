import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from file_server import running
from tiny import CONFIG, tiny_checkpoint

from audiofix.backends.vmasr.network import VMASR
from audiofix.checkpoints.catalogue import entries, entry
from audiofix.cli.console import Console
from audiofix.cli.main import group
from audiofix.errors import CheckpointError, OutputError, UnknownModel

NAME = "vmasr-48k-16k-mpd"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    for variable in ("AUDIOFIX_MIRROR", "AUDIOFIX_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def models(capsys):
    """Return a function that runs `audiofix models ...` and returns what it printed."""

    def run(*arguments):
        group.main(["models", *map(str, arguments)], standalone_mode=False, obj=Console())
        return capsys.readouterr().out

    return run


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror that serves the released archive, with one tiny model in it."""
    torch.manual_seed(0)
    weights = tmp_path / "checkpoint-best-G.pth"
    network = VMASR(replace(CONFIG, interact="dual"))
    torch.save({"name": "G", "state_dict": network.state_dict()}, weights)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(weights, "logs/48k_16k_FullData_MPD/checkpoint-best-G.pth")
    with running() as server:
        server.files[Path(entry(NAME).files["weights"].urls[0]).name] = (
            tmp_path / "all.zip"
        ).read_bytes()
        monkeypatch.setenv("AUDIOFIX_MIRROR", server.url)
        yield server


def test_list_tells_what_exists_and_what_is_here(models):
    rows = json.loads(models("list", "--json"))
    assert [row["name"] for row in rows] == list(entries())
    states = {row["name"]: (row["state"], row["runs_here"]) for row in rows}
    assert states[NAME] == ("to fetch", True)
    assert states["envelope-48k"] == ("ships", True)


def test_show_names_licence_and_source(models):
    found = json.loads(models("show", NAME, "--json"))
    assert found["source"] == "https://github.com/ghnmqdtg/VM-ASR" and found["rate"] == 48000
    assert found["licence"] in models("show", NAME)
    assert "size       unknown until it is fetched" in models("show", NAME)
    with pytest.raises(UnknownModel, match=f"did you mean {NAME}"):
        models("show", NAME + "x")


def test_pull_verify_export_path_and_remove(models, mirror, cache, tmp_path):
    path = Path(models("pull", NAME).strip())
    assert path == cache / "models" / f"{NAME}.safetensors" and path.exists()
    assert models("path", NAME).strip() == str(path)
    results = json.loads(models("verify", NAME, "--json"))
    assert {Path(result["file"]) for result in results} > {path}
    assert all(result["intact"] for result in results)
    models("export", NAME, tmp_path / "x.safetensors")
    models("export", NAME, "-o", tmp_path / "y.safetensors")
    assert (tmp_path / "y.safetensors").read_bytes() == (tmp_path / "x.safetensors").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        models("export", NAME, tmp_path / "x.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        models("verify", NAME)
    models("remove", NAME)
    assert not list((cache / "models").iterdir())
    assert not list((cache / "downloads").iterdir())
    with pytest.raises(CheckpointError, match="models pull"):
        models("path", NAME)


def test_pull_refuses_offline(models, mirror):
    with pytest.raises(CheckpointError, match="offline"):
        models("pull", NAME, "--offline")
    assert mirror.requests == []


def test_import_takes_a_file_under_a_name_once(models, tmp_path, cache):
    file = tiny_checkpoint(tmp_path / "tiny.safetensors")
    path = models("import", file, "--name", "mine").strip()
    assert path == str(cache / "models" / "mine.safetensors")
    rows = json.loads(models("list", "--json"))
    size = Path(path).stat().st_size
    assert rows[-1] == {
        "name": "mine", "system": "vmasr", "verbs": ["upsample"], "rate": 48000,
        "state": "imported", "bytes": size, "runs_here": True, "file": path,
    }  # fmt: skip
    assert json.loads(models("show", "mine", "--json")) == rows[-1]
    assert "  mine " in models("list")
    (cache / "models" / "broken.safetensors").write_bytes(b"nothing")
    assert models("list").count("broken") == 1 and "damaged" in models("list")
    with pytest.raises(CheckpointError, match="in the store already"):
        models("import", file, "--name", "mine")
    with pytest.raises(CheckpointError, match="no such file"):
        models("import", tmp_path / "none.pth")


def test_path_without_a_name_is_the_store(models, cache):
    assert models("path").strip() == str(cache)
