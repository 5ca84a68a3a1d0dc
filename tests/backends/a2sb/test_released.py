import json
from dataclasses import asdict

import pytest
import torch
from backends.a2sb.models import CPU, NET, network
from goldens import GOLDEN

from audiofix.backends.a2sb.config import UNetConfig
from audiofix.backends.a2sb.networks import Networks
from audiofix.backends.a2sb.released import _config_of, read, recognise
from audiofix.backends.systems import read_file
from audiofix.errors import CheckpointError


def released_file(path, seed=0):
    """Write a file as the authors' training does; return the tensors in it."""
    tensors = network(seed).state_dict()
    state = {f"vf_model.{name}": tensor for name, tensor in tensors.items()}
    state["t_to_emb.multipliers"] = torch.linspace(0.5, 16, NET.emb_channels // 2)[None]
    torch.save({"state_dict": state, "epoch": 3, "global_step": 100}, path)
    return tensors


def test_a_network_is_recognised_and_sized_by_its_tensors(tmp_path):
    tensors = released_file(tmp_path / "x.ckpt")
    config, found = read({"weights": tmp_path / "x.ckpt"})
    expected = {**asdict(NET), "n_attn_heads": 8, "dropout": 0.1}
    assert config["net"] == expected
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    opened = read_file(tmp_path / "x.ckpt")
    assert opened.system == "a2sb" and Networks(opened, CPU).config.t_cutoffs == ()


def test_a_pair_is_one_model(tmp_path):
    parts = {part: tmp_path / f"{part}.ckpt" for part in ("early", "late")}
    for seed, path in enumerate(parts.values()):
        released_file(path, seed)
    config, tensors = read(parts)
    assert config["t_cutoffs"] == [0.5]
    assert len(tensors) == 2 * len(network().state_dict())
    name = "output_projection.2.bias"
    assert torch.equal(tensors[f"late.{name}"], network(1).state_dict()[name])


def test_the_released_size_is_told_by_its_shapes():
    text = (GOLDEN / "a2sb" / "keys-release.json").read_text()
    with torch.device("meta"):
        shapes = {n: torch.empty(a["shape"]) for n, a in json.loads(text)["tensors"].items()}
    assert recognise(shapes)
    assert _config_of(shapes, 128) == UNetConfig()


def test_another_systems_file_is_refused(tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(2)}}, tmp_path / "y.ckpt")
    with pytest.raises(CheckpointError, match="no A2SB"):
        read({"weights": tmp_path / "y.ckpt"})
