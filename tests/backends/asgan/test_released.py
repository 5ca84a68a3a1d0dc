from dataclasses import asdict

import pytest
import torch
import yaml
from tiny import ASGAN_GENERATOR

from audiofix.backends.asgan.classifier import Classifier
from audiofix.backends.asgan.config import ClassifierConfig, GeneratorConfig
from audiofix.backends.asgan.generate import open
from audiofix.backends.asgan.network import Generator
from audiofix.backends.asgan.released import read, recognise
from audiofix.backends.asgan.vocoder import build
from audiofix.backends.placement import Placement
from audiofix.backends.weights import Checkpoint
from audiofix.errors import CheckpointError

CPU = Placement(torch.device("cpu"))


def settings(**changed):
    """Return the generator's settings, plain enough for YAML."""
    config = asdict(GeneratorConfig.from_mapping({**ASGAN_GENERATOR, "c_dim": 128}))
    plain = {"layer_specs": [[8, 3, 6.0], [8, 3, 12.0]], "head_spec": [128, 1]}
    return {**config, **plain, **changed}


@pytest.fixture
def released(tmp_path):
    """Return a maker of released files of a tiny mel generator and its vocoder."""

    def make(*, data_type="mel", normed=True, **changed):
        torch.manual_seed(0)
        generator = Generator(GeneratorConfig.from_mapping(settings()))
        text = {"rp_w_cfg": {**settings(**changed), "lr": 2e-3}, "data_type": data_type}
        content = {
            "cfg_yaml": yaml.safe_dump(text),
            "g_ema_state_dict": generator.state_dict(),
            "steps": 7,
        }
        torch.save(content, tmp_path / "g.pt")
        vocoder = build({"in_channels": 128, "upsample_initial_channel": 16})
        names = {"weight_g": "parametrizations.weight.original0"} if not normed else {}
        names |= {"weight_v": "parametrizations.weight.original1"} if not normed else {}
        state = {}
        for name, tensor in vocoder.state_dict().items():
            stem, _, last = name.rpartition(".")
            state[f"module.{stem}.{names.get(last, last)}"] = tensor
        torch.save(state, tmp_path / "v.pt")
        return {"generator": tmp_path / "g.pt", "vocoder": tmp_path / "v.pt"}, generator, vocoder

    return make


@pytest.mark.parametrize("normed", [True, False])
def test_a_generator_and_its_vocoder_become_one_model(released, normed):
    parts, generator, vocoder = released(normed=normed)
    config, tensors = read(parts)
    model = open(Checkpoint("m", "asgan", config, tensors, ""), CPU)
    z = model.drawn(2, 0).values
    with torch.no_grad():
        c = generator(torch.from_numpy(z))
        expected = vocoder(c.transpose(1, 2))[:, 0]
    found = torch.from_numpy(model.synthesise(model.map(z)))
    start = (16000 - expected.shape[1]) // 2
    torch.testing.assert_close(
        found[:, start : start + expected.shape[1]], expected, atol=1e-5, rtol=0
    )
    assert model.rate == 16000 and model.mel is not None


def test_a_mel_generator_alone_finds_phases_and_a_hubert_one_does_not(released):
    parts, generator, _ = released()
    config, tensors = read({"weights": parts["generator"]})
    assert "vocoder" not in config
    assert recognise(generator.state_dict())
    parts, _, _ = released(data_type="hubert")
    with pytest.raises(CheckpointError, match="needs the vocoder"):
        read({"weights": parts["generator"]})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"w_layers": 2}, "say w_layers 2, its tensors 1"),
        ({"c_dim": 64}, "say c_dim 64, its tensors 128"),
        ({"use_sg3_ff": False}, "say use_sg3_ff False, its tensors True"),
    ],
)
def test_settings_that_the_tensors_contradict_are_refused(released, changed, message):
    parts, _, _ = released(**changed)
    with pytest.raises(CheckpointError, match=message):
        read(parts)


def test_what_is_no_generator_or_vocoder_is_refused(released):
    parts, _, _ = released()
    with pytest.raises(CheckpointError, match="no ASGAN generator"):
        read({"generator": parts["vocoder"], "vocoder": parts["vocoder"]})
    torch.save({"other.weight": torch.zeros(2)}, parts["vocoder"])
    with pytest.raises(CheckpointError, match="no HiFi-GAN"):
        read(parts)
    with pytest.raises(CheckpointError, match="generator file is missing"):
        read({})


def test_a_classifier_is_read_by_its_shapes(tmp_path):
    config = ClassifierConfig(10, 2, 20, 4, 2, 1)
    network = Classifier(config)
    torch.save(network.state_dict(), tmp_path / "c.pt")
    found, tensors = read({"weights": tmp_path / "c.pt"})
    assert found["classifier"] == asdict(config)
    assert set(tensors) == {f"classifier.{name}" for name in network.state_dict()}
