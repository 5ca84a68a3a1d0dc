import pytest
import torch
import yaml
from safetensors.torch import save_file

from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.discriminator import DiscriminatorConfig, MultiFrequencyDiscriminator
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.apollo.released import LAYOUTS, read, recognise
from audiofix.backends.placement import place
from audiofix.backends.systems import files_for_others, load
from audiofix.backends.weights import Checkpoint
from audiofix.errors import CheckpointError, UsageError

CONFIG = {"sr": 44100, "win": 20, "feature_dim": 16, "layer": 2}


@pytest.fixture(scope="module")
def tensors():
    torch.manual_seed(0)
    return Apollo(ApolloConfig.from_mapping(CONFIG)).state_dict()


def lightning(tensors):
    discriminator = MultiFrequencyDiscriminator(DiscriminatorConfig(window=(32,))).state_dict()
    whole = {f"audio_model.{name}": tensor for name, tensor in tensors.items()}
    whole |= {f"discriminator.{name}": tensor for name, tensor in discriminator.items()}
    return {"state_dict": whole, "epoch": 3, "optimizer_states": [{"state": {}}]}


STRUCTURES = {
    "plain": dict,
    "official": lambda t: {
        "model_name": "Apollo",
        "state_dict": t,
        "model_args": {"n_sample_rate": 2},
        "infos": {"software_versions": {"torch_version": "2.0", "pytorch_lightning_version": "2"}},
    },
    "state": lambda t: {"state": t},
    "msst": lambda t: {"model_state_dict": t, "best_metric": 1.5},
    "lightning": lightning,
    "parallel": lambda t: {"state_dict": {f"module.{n}": x for n, x in t.items()}},
    "compiled": lambda t: {f"_orig_mod.{n}": x for n, x in t.items()},
    "half": lambda t: {"state_dict": {n: x.half() for n, x in t.items()}},
}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_outer_structure(structure, tensors, tmp_path):
    path = tmp_path / "weights.ckpt"
    torch.save(STRUCTURES[structure](tensors), path)
    config, found = read({"weights": path})
    assert config == {**CONFIG, "rate": 44100}
    assert found.keys() == tensors.keys()
    tolerance = 1e-3 if structure == "half" else 0
    for name, tensor in found.items():
        assert tensor.dtype == torch.float32
        assert torch.allclose(tensor, tensors[name], rtol=tolerance, atol=tolerance)
    restorer = load("decode-restore", str(path), place("cpu"))
    assert (restorer.name, restorer.rate) == ("weights", 44100)


def test_bare_safetensors(tensors, tmp_path):
    save_file(tensors, tmp_path / "w.safetensors")
    assert read({"weights": tmp_path / "w.safetensors"})[0]["feature_dim"] == 16


def test_other_files_are_refused(tensors, tmp_path):
    assert not recognise({"patch_embed_mag.0.weight": torch.zeros(1)})
    torch.save({"something.weight": torch.zeros(3)}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="no Apollo"):
        read({"weights": tmp_path / "other.ckpt"})
    lacking = {name: x for name, x in tensors.items() if not name.startswith("BN.7.")}
    torch.save(lacking, tmp_path / "lacking.ckpt")
    with pytest.raises(CheckpointError, match="lacks parts"):
        read({"weights": tmp_path / "lacking.ckpt"})
    torch.save({n: x for n, x in tensors.items() if "net.1" not in n}, tmp_path / "short.ckpt")
    assert read({"weights": tmp_path / "short.ckpt"})[0]["layer"] == 1
    far = {name.replace("net.1.", "net.999999999."): x for name, x in tensors.items()}
    torch.save(far, tmp_path / "far.ckpt")
    with pytest.raises(CheckpointError, match="blocks are missing"):
        read({"weights": tmp_path / "far.ckpt"})
    missing = {name: x for name, x in tensors.items() if name != "output.3.1.bias"}
    torch.save(missing, tmp_path / "missing.ckpt")
    with pytest.raises(CheckpointError, match="output.3.1.bias"):
        load("decode-restore", str(tmp_path / "missing.ckpt"), place("cpu"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_for_others_are_read_back(layout, tensors, tmp_path):
    checkpoint = Checkpoint("mine", "apollo", {**CONFIG, "rate": 44100}, tensors, "test")
    written = files_for_others(checkpoint, layout)
    weights = tmp_path / f"mine{next(iter(written))}"
    weights.write_bytes(written[weights.suffix])
    config, found = read({"weights": weights})
    assert config == {**CONFIG, "rate": 44100}
    assert list(found) == list(tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    content = torch.load(weights, weights_only=True)
    assert list(content["state_dict"]) == list(tensors)
    if layout == "msst":
        settings = yaml.safe_load(written[".yaml"])
        assert settings["model"] == CONFIG
        assert settings["training"]["target_instrument"] == "restored"


def test_what_only_audiofix_can_run_is_not_written(tensors):
    own = Checkpoint("own", "apollo", {**CONFIG, "residual": True}, tensors, "test")
    with pytest.raises(CheckpointError, match="only audiofix"):
        files_for_others(own, "official")
    plain = Checkpoint("mine", "apollo", CONFIG, tensors, "test")
    with pytest.raises(UsageError, match="official, msst"):
        files_for_others(plain, "onnx")
    with pytest.raises(UsageError, match="not for vmasr"):
        files_for_others(Checkpoint("v", "vmasr", {}, {}, "test"), "official")
