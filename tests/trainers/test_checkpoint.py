from types import SimpleNamespace

import pytest
import torch
from audiofix.trainers.checkpoint import export, start_from
from torch import nn

from audiofix.backends.systems import load_checkpoint
from audiofix.errors import CheckpointError


def exported(path, *, half=False):
    network = nn.Linear(3, 2)
    settings = SimpleNamespace(name="x", half=half)
    export(path, settings, "vmasr", {"rate": 8}, network.state_dict())
    return network


def test_a_run_starts_where_another_ended(tmp_path):
    network, other = exported(tmp_path / "x.safetensors"), nn.Linear(3, 2)
    start_from(other, str(tmp_path / "x.safetensors"))
    assert torch.equal(other.weight, network.weight)
    found = load_checkpoint(str(tmp_path / "x.safetensors"))
    assert (found.name, found.system, found.config["rate"]) == ("x", "vmasr", 8)


def test_without_a_start_the_weights_stay(tmp_path):
    network = nn.Linear(3, 2)
    before = network.weight.clone()
    start_from(network, "")
    assert torch.equal(network.weight, before)


def test_what_does_not_fit_is_refused(tmp_path):
    exported(tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="does not fit"):
        start_from(nn.Linear(4, 2), str(tmp_path / "x.safetensors"))


def test_half_weights_are_half_as_large(tmp_path):
    exported(tmp_path / "x.safetensors", half=True)
    exact = exported(tmp_path / "y.safetensors")
    found = load_checkpoint(str(tmp_path / "x.safetensors")).tensors["weight"]
    assert found.shape == exact.weight.shape
    assert torch.equal(found, found.half().float())
