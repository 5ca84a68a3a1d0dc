import pytest
from tiny import CONFIG, tiny_checkpoint

from audiofix.backends import chosen, systems
from audiofix.backends.placement import place
from audiofix.errors import CheckpointError, DeviceError, SettingsError, UsageError


def test_build_gives_eval_mode_networks():
    network = systems.build("vmasr", {"dims": 4, "depths": [1, 1], "interact": "single"})
    assert not network.training and network.config.dims == 4
    assert not systems.build("vmasr.discriminator", {"hidden": 2, "periods": [2, 3]}).training


@pytest.mark.parametrize(
    ("name", "config", "error"),
    [
        ("vmas", {}, UsageError),
        ("vmasr", {"dimms": 4}, SettingsError),
        ("vmasr", {"interact": "both"}, SettingsError),
        ("vmasr", {"norm_layer": "BN"}, SettingsError),
        ("vmasr.discriminator", {"period": [2]}, SettingsError),
    ],
)
def test_build_refuses_what_it_does_not_know(name, config, error):
    with pytest.raises(error):
        systems.build(name, config)


def test_load_opens_a_file_with_its_weights(tmp_path):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors", rate=44100)
    restorer = systems.load("upsample", str(path), place("cpu"), rate=48000)
    assert restorer.rate == 44100 and restorer.name == "tiny"
    assert restorer.network.config == CONFIG


def test_without_any_checkpoint_both_ways_on_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path))
    monkeypatch.setattr(chosen.choice, "default_entry", lambda *_, **__: None)
    with pytest.raises(CheckpointError, match="models pull.*-m FILE"):
        systems.load("upsample", None, place("cpu"))


@pytest.mark.parametrize(
    ("device", "precision", "error"),
    [
        ("cuda:77", "auto", DeviceError),
        ("toaster", "auto", UsageError),
        ("meta", "auto", UsageError),
        ("cpu", "fp8", UsageError),
    ],
)
def test_devices_that_are_not_there(tmp_path, device, precision, error):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    with pytest.raises(error):
        systems.load("upsample", str(path), place(device, precision))


def test_a_checkpoint_serves_the_verbs_of_its_system_only(tmp_path):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    with pytest.raises(CheckpointError, match="a vmasr checkpoint cannot encode.*audiodec"):
        systems.load("encode", str(path), place("cpu"))
