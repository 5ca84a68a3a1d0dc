import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from tiny import CONFIG, tiny_checkpoint

from audiofix.backends import systems, weights
from audiofix.backends.placement import place
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.network import VMASR
from audiofix.checkpoints import store
from audiofix.errors import CheckpointError, UnknownModel


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_damaged_safetensors_is_refused(tmp_path):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        systems.read_file(path)


def test_half_precision_is_widened_when_read(tmp_path):
    whole = systems.read_file(tiny_checkpoint(tmp_path / "tiny.safetensors"))
    weights.save_checkpoint(tmp_path / "half.safetensors", whole, half=True)
    half = systems.read_file(tmp_path / "half.safetensors")
    assert half.config == whole.config and half.system == "vmasr"
    for name, value in half.tensors.items():
        assert torch.equal(value, whole.tensors[name].half().float())


def test_loading_what_ships_imports_no_compiler() -> None:
    """Arithmetic on the meta device would: one second at every start."""
    program = (
        "import sys\n"
        "from audiofix.backends import systems\n"
        "from audiofix.backends.placement import place\n"
        "from audiofix.checkpoints.catalogue import entries\n"
        "for entry in entries().values():\n"
        "    if entry.shipped and entry.verbs != ('eval',):\n"
        "        systems.load(entry.verbs[0], entry.name, place('cpu'), offline=True)\n"
        "        print(entry.name)\n"
        "print(sorted({'torch._dynamo', 'sympy'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    *loaded, imported = shown.stdout.splitlines()
    assert len(loaded) >= 6 and imported == "[]"


@pytest.mark.parametrize(
    "config",
    [{"dims": 1 << 40}, {"dims": [1] * 1000}, {"a": "x" * 100_000}, {"rate": float("inf")},
     {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}],
)  # fmt: skip
def test_settings_that_no_network_has_are_refused(tmp_path, config):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    whole = systems.read_file(path)
    weights.save_checkpoint(path, replace(whole, config={**whole.config, **config}))
    with pytest.raises(CheckpointError, match="refused"):
        systems.read_file(path)


@pytest.mark.parametrize(
    "config",
    [{"dims": 1000}, {"dims": "x"}, {"depths": []}, {"depths": [60] * 60}, {"n_fft": 1 << 20},
     {"depths": [1, 1, 1, 1, 9]}, {"what": 1}, {"hop_length": -1}, {"mlp_ratio": None}],
)  # fmt: skip
def test_settings_that_do_not_fit_cost_no_memory_and_end_as_checkpoint_errors(tmp_path, config):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    whole = systems.read_file(path)
    weights.save_checkpoint(path, replace(whole, config={**whole.config, **config}))
    with pytest.raises(CheckpointError):
        systems.load("upsample", str(path), place("cpu"))
    with pytest.raises(CheckpointError):
        systems.keep(replace(systems.read_file(path), name="bad"))
    assert not store.is_present("bad")


@pytest.mark.parametrize("text", ["[]", "3", "null", "{}}", '{"name": 3}', "[" * 100_000,
                                  '{"name": "x", "system": "vmasr", "config": []}'])  # fmt: skip
def test_metadata_of_any_shape(tmp_path, text):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors", {"audiofix": text})
    with pytest.raises(CheckpointError):
        systems.read_file(tmp_path / "x.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    path = tiny_checkpoint(tmp_path / "tiny.safetensors")
    whole = systems.read_file(path)
    name = next(iter(whole.tensors))
    broken = whole.tensors[name].clone()
    broken.view(-1)[-1] = value
    weights.save_checkpoint(path, replace(whole, tensors={**whole.tensors, name: broken}))
    with pytest.raises(CheckpointError, match="not finite"):
        systems.load("upsample", str(path), place("cpu"))


def test_a_misfit_lists_names(tmp_path):
    found = systems.read_file(tiny_checkpoint(tmp_path / "tiny.safetensors"))
    tensors = dict(found.tensors)
    tensors.pop("patch_embed_mag.0.bias")
    tensors["what.is.this"] = torch.zeros(1)
    tensors["patch_embed_mag.7.bias"] = torch.zeros(99)
    with pytest.raises(CheckpointError) as caught:
        weights.fill_module(VMASR(CONFIG), tensors, "tiny")
    message = str(caught.value)
    assert "1 missing (patch_embed_mag.0.bias)" in message
    assert "1 unexpected (what.is.this)" in message
    assert "1 of another shape (patch_embed_mag.7.bias)" in message


def test_a_released_model_is_fetched_converted_once_and_found_again(
    tmp_path, authors_file, monkeypatch, cache
):
    import zipfile

    from file_server import running

    from audiofix.checkpoints.catalogue import entry

    name = "vmasr-48k-16k-mpd-m2p"
    network = VMASR(VMASRConfig(dims=8, depths=(1, 1, 1, 1), interact="m2p"))
    path = authors_file(network, "m2p", 48000)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "Dual/48k_16k_FullData_MPD_M2P/checkpoint-best-G.pth")
    with running() as server:
        server.files[entry(name).files["weights"].urls[0].rsplit("/", 1)[-1]] = (
            tmp_path / "all.zip"
        ).read_bytes()
        monkeypatch.setenv("AUDIOFIX_MIRROR", server.url)
        first = systems.load_checkpoint(name)
        again = systems.load_checkpoint(name, offline=True)
        assert len(server.requests) == 1
    assert store.is_present(name) and store.model_path(name).parent == cache / "models"
    assert first.config == again.config and again.config["interact"] == "m2p"
    assert all(torch.equal(t, network.state_dict()[n]) for n, t in again.tensors.items())


def test_unknown_names_and_files(tmp_path):
    with pytest.raises(UnknownModel, match="did you mean"):
        systems.load_checkpoint("vmasr-48k-mpdd")
    with pytest.raises(CheckpointError, match="no such checkpoint file"):
        systems.load_checkpoint(str(tmp_path / "no.pth"))


def test_a_checkpoint_has_the_mode_that_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        path = tiny_checkpoint(tmp_path / "x.safetensors")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
