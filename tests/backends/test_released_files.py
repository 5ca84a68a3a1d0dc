import os

import pytest
import torch

from audiofix.backends import systems, weights
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.network import VMASR
from audiofix.errors import CheckpointError


@pytest.mark.parametrize(("target", "hop"), [(48000, 240), (16000, 80)])
def test_an_authors_file_loads_under_the_allow_list(authors_file, target, hop):
    network = VMASR(VMASRConfig(dims=8, depths=(1, 2, 1, 1), interact="m2p"))
    found = systems.read_file(authors_file(network, "m2p", target))
    assert found.system == "vmasr"
    assert found.config["rate"] == target and found.config["hop_length"] == hop
    settings = {k: v for k, v in found.config.items() if k != "rate"}
    config = VMASRConfig.from_mapping(settings)
    assert (config.dims, config.depths, config.interact) == (8, (1, 2, 1, 1), "m2p")
    assert config.low_freq_replacement is False
    other = VMASR(config)
    weights.fill_module(other, found.tensors, found.name)
    state = network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in other.state_dict().items())


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch hostile-was-here",))


def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"patch_embed_mag.0.weight": Hostile()}}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match="refused: it would run (posix|nt).system"):
        systems.read_file(tmp_path / "evil.pth")
    assert not (tmp_path / "hostile-was-here").exists()


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 5000, b"PK\3\4" + bytes(100)])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(CheckpointError):
        systems.read_file(tmp_path / "x.pth")


def test_a_small_file_cannot_claim_large_tensors(tmp_path):
    state = {"patch_embed_mag.0.weight": torch.zeros(1).expand(1 << 34)}
    torch.save({"state_dict": state}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="larger than the file"):
        systems.read_file(tmp_path / "x.pth")
    torch.save({"state_dict": {"a": torch.eye(3).to_sparse()}}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="larger than the file"):
        systems.read_file(tmp_path / "x.pth")
