"""Files in fairseq's layout, made here with stand-ins for its classes."""

import argparse
import os
import pickle
import sys
import types
from enum import Enum

import pytest
import torch

from audiofix.backends.released_files import read_released, tensors_in
from audiofix.errors import CheckpointError

TENSORS = {"layer.weight": torch.arange(6.0).view(2, 3), "layer.bias": torch.ones(2).half()}


class DictConfig(dict):
    """Pickled as omegaconf's is: a class with state, whose metadata names types."""

    def __init__(self, content):
        super().__init__(content)
        self.metadata = {"ref_type": dict, "key_type": str, "content": [argparse.Namespace(a=1)]}


class Choice(Enum):
    SIMPLE = "simple"


class Dictionary(list):
    """A task's list of symbols."""


@pytest.fixture
def fairseq(monkeypatch):
    """Put the stand-ins where a pickle looks for the real ones; return how to take them away."""
    homes = {"omegaconf.dictconfig": [DictConfig], "fairseq.data": [Dictionary, Choice]}
    for name in ("omegaconf", "fairseq"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name, classes in homes.items():
        module = types.ModuleType(name)
        for one in classes:
            monkeypatch.setattr(one, "__module__", name)
            setattr(module, one.__name__, one)
        monkeypatch.setitem(sys.modules, name, module)
    return lambda: [monkeypatch.delitem(sys.modules, name) for name in homes]


def content():
    return {
        "args": argparse.Namespace(arch="hubert", layers=[1, 2]),
        "cfg": DictConfig({"model": {"layers": 12}, "kind": Choice.SIMPLE}),
        "model": TENSORS,
        "task_state": {"dictionaries": [Dictionary(["a", "b"])], "other": {1, 2}},
    }


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_the_tensors_of_fairseqs_layout_are_read(zipped, fairseq, tmp_path):
    path = tmp_path / "hubert.pt"
    torch.save(content(), path, _use_new_zipfile_serialization=zipped)
    fairseq()
    found = tensors_in(read_released(path))
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], TENSORS[name].float()) for name in TENSORS)


class Hostile:
    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call", [(os.mkdir, ("made",)), (eval, ("__import__('os').mkdir('made')",))]
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_code_beside_settings_does_not_run(call, zipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hubert.pt"
    whole = {"args": argparse.Namespace(), "model": TENSORS, "extra_state": Hostile(call)}
    torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    if call[0] is eval:  # a placeholder took its place
        assert tensors_in(read_released(path)).keys() == TENSORS.keys()
    else:
        with pytest.raises(CheckpointError, match="refused: it would run (posix|nt).mkdir"):
            read_released(path)
    assert not (tmp_path / "made").exists()


def test_pickle_itself_would_have_run_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Hostile((os.mkdir, ("made",)))))
    assert (tmp_path / "made").exists()
