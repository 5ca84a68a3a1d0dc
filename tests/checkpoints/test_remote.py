"""A model in a store: fetched once, again when it changes there, and not at all offline."""

import pytest
import torch

from audiofix.backends.systems import load_checkpoint
from audiofix.backends.weights import Checkpoint, write_checkpoint
from audiofix.checkpoints.remote import fetched
from audiofix.errors import CheckpointError

fsspec = pytest.importorskip("fsspec")
URL = "memory://models/mine.safetensors"


@pytest.fixture
def store(monkeypatch, tmp_path):
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    yield fsspec.filesystem("memory")
    fsspec.filesystem("memory").rm("/models", recursive=True)


def put(store, tmp_path, value):
    path = tmp_path / "mine.safetensors"
    tensors = {"x": torch.full((2,), float(value))}
    write_checkpoint(path, Checkpoint("mine", "vmasr", {"rate": 8000}, tensors, "here"))
    store.pipe("/models/mine.safetensors", path.read_bytes())


def test_a_model_in_a_store_is_fetched_once_and_when_it_changes(store, tmp_path):
    put(store, tmp_path, 1)
    assert load_checkpoint(URL).tensors["x"].tolist() == [1, 1]
    first = fetched(URL)
    before = first.stat().st_mtime_ns
    assert fetched(URL) == first and first.stat().st_mtime_ns == before
    put(store, tmp_path, 2)
    assert load_checkpoint(URL).tensors["x"].tolist() == [2, 2]
    assert fetched(URL, offline=True) == fetched(URL) != first


def test_a_model_that_is_not_there_is_told(store, tmp_path):
    put(store, tmp_path, 1)
    with pytest.raises(CheckpointError, match=r"other\.safetensors: not there"):
        load_checkpoint("memory://models/other.safetensors")
    with pytest.raises(CheckpointError, match="run once without it"):
        load_checkpoint(URL, offline=True)
