import numpy as np
import pytest
import torch
import yaml
from stages import noise
from tiny import AUTOENCODER, VOCODER

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.codec import codebook_hash
from audiofix.backends.audiodec.released import read
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.placement import place
from audiofix.backends.systems import load, read_file
from audiofix.backends.weights import Checkpoint, save_checkpoint
from audiofix.cli.console import Console
from audiofix.cli.main import group
from audiofix.errors import AudiofixError, CheckpointError

HISTORIES = {"encoder.conv.pad_buffer": torch.ones(3, 1, 6), "input_conv.pad_buffer": torch.ones(1)}


def table(config, **more):
    settings = {name: getattr(config, name) for name in config.__dataclass_fields__}
    listed = {n: list(v) if isinstance(v, tuple) else v for n, v in settings.items()}
    if "nonlinear_activation_params" in listed:
        listed["nonlinear_activation_params"] = dict(config.nonlinear_activation_params)
        listed["resblock_dilations"] = [list(one) for one in config.resblock_dilations]
    return {
        "model_type": "any",
        "sampling_rate": 8000,
        "generator_params": {**listed, **more},
        "batch_size": 16,
    }


@pytest.fixture
def parts(tmp_path):
    """Files as the authors' archive has them: two autoencoders of one family, and a vocoder."""
    torch.manual_seed(0)
    networks = {"encoder": Autoencoder(AUTOENCODER), "decoder": Autoencoder(AUTOENCODER)}
    networks["vocoder"] = Vocoder(VOCODER)
    tables = {"config": table(AUTOENCODER, quantier="residual_vq")}
    tables["vocoder_config"] = table(VOCODER, stats="stats/nowhere.npy")
    paths = {}
    for part, network in networks.items():
        paths[part] = tmp_path / f"{part}.pkl"
        content = {"model": {"generator": {**network.state_dict(), **HISTORIES}}, "steps": 1}
        torch.save(content, paths[part])
    for part, tree in tables.items():
        paths[part] = tmp_path / f"{part}.yml"
        paths[part].write_text(yaml.safe_dump(tree))
    return paths, networks


@pytest.mark.parametrize("receiver", ["decoder", "vocoder"])
def test_files_of_a_release_make_a_codec(parts, receiver, tmp_path):
    paths, networks = parts
    unused = "decoder" if receiver == "vocoder" else "vocoder"
    config, tensors = read({n: p for n, p in paths.items() if not n.startswith(unused)})
    path = tmp_path / "joined.safetensors"
    checkpoint = Checkpoint("joined", "audiodec", {**config, "rate": 8000}, tensors, "")
    save_checkpoint(path, checkpoint)
    codec = load("encode", str(path), place("cpu"))

    own = networks["encoder"].quantizer
    assert (
        codec.layout.checkpoint
        == codebook_hash(own)
        != codebook_hash(networks["decoder"].quantizer)
    )
    codes = codec.encoder(AudioFormat(8000, 1), "live").push(noise(1, 241))
    y = codec.decoder(1, "live").push(codes)
    vectors = own.lookup(
        torch.from_numpy(
            np.concatenate([codec.sound_to_codes("live").warm_up_codes, codes[0]]).T.astype(
                np.int64
            )
        )[:, None]
    )
    network = networks["decoder"].decoder if receiver == "decoder" else networks["vocoder"]
    with torch.no_grad():
        expected = network(vectors)[0, :, -y.shape[1] :]
    np.testing.assert_allclose(y, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_bare_state_dicts_are_files_too(parts, tmp_path):
    paths, networks = parts
    torch.save(networks["encoder"].state_dict(), paths["encoder"])
    config, tensors = read({"encoder": paths["encoder"], "config": paths["config"]})
    assert tensors.keys() == networks["encoder"].state_dict().keys()
    assert config["autoencoder"]["codebook_num"] == AUTOENCODER.codebook_num


def test_a_file_that_would_run_code_is_refused(parts):
    paths, _ = parts
    torch.save({"model": {"generator": print}}, paths["encoder"])
    with pytest.raises(CheckpointError, match="refused"):
        read(paths)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a configuration"),
        ("- 1", "no generator_params"),
        ("a: !!python/object/apply:os.system [x]", "not a configuration"),
    ],
)
def test_configurations_that_are_none(parts, text, message):
    paths, _ = parts
    paths["config"].write_text(text)
    with pytest.raises(CheckpointError, match=message):
        read(paths)


def test_missing_parts_are_named(parts):
    paths, _ = parts
    with pytest.raises(CheckpointError, match="encoder file is missing"):
        read({"config": paths["config"]})


def test_an_encoder_is_imported_with_the_configuration_beside_it(parts, tmp_path):
    paths, networks = parts
    found = read_file(paths["encoder"])
    assert (found.system, found.config["rate"]) == ("audiodec", 8000)
    assert found.tensors.keys() == networks["encoder"].state_dict().keys()
    paths["config"].unlink()
    with pytest.raises(CheckpointError, match="config.yml.*put the authors' configuration there"):
        read_file(paths["encoder"])


def test_all_files_are_imported_by_their_parts(parts, tmp_path, monkeypatch, capsys):
    paths, networks = parts
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    words = [f"{part}={path}" for part, path in paths.items()]
    group.main(["models", "import", *words, "--name", "mine"], standalone_mode=False, obj=Console())
    assert capsys.readouterr().out.strip() == str(tmp_path / "cache/models/mine.safetensors")
    codec = load("encode", "mine", place("cpu"))
    assert codec.layout.rate == 8000 and codec.has_vocoder
    for wrong in (["encoder"], [words[0], words[0]], [words[0], "config"]):
        with pytest.raises(AudiofixError):
            command = ["models", "import", *wrong, "--name", "other"]
            group.main(command, standalone_mode=False, obj=Console())
