"""Training of a tiny ASGAN on tones that are named like digits."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Turn
from audiofix.trainers.recipes import plan, presets
from audiofix.trainers.recipes.asgan.recipe import (
    CLASSIFIER,
    DISCRIMINATOR,
    GENERATOR,
    MAPPING,
    ASGANRecipe,
)
from audiofix.trainers.recipes.asgan.settings import (
    AugmentationSettings,
    LossSettings,
    MappingStageSettings,
    Settings,
)
from audiofix.trainers.recipes.asgan.word_features import WordSettings
from tiny import ASGAN_GENERATOR, ASGAN_MEL

from audiofix.backends.asgan.config import DiscriminatorConfig, GeneratorConfig
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import GenerateRequest
from audiofix.errors import InputError

CPU = torch.device("cpu")
BODY = DiscriminatorConfig(c_dim=16, d_dim=8, seq_len=12, kernel_size=3, block_repeats=(1, 1, 1))
SETTINGS = Settings(
    generator=GeneratorConfig.from_mapping({**ASGAN_GENERATOR, "z_dim": 16}),
    discriminator=BODY,
    recognition=BODY,
    mel=MelConfig(**ASGAN_MEL),
    data=WordSettings(words=("zero", "one")),
    loss=LossSettings(r1_every=2),
    loop=LoopSettings(steps=6, batch=4, ema_decay=0.5, log_every=1, validate_every=6, workers=1),
)
SMALL = replace(
    SETTINGS,
    data=WordSettings(words=("zero", "one"), trim_db=40.0, speeds=(0.9, 1.1)),
    loss=LossSettings(adversarial=0.0, reconstruction=8.0, slopes=2.0, classification=0.5),
    augmentation=AugmentationSettings(0.0),
    recognised=5,
    latents=4,
)
STAGED = replace(
    SMALL,
    data=replace(SMALL.data, voices=("voice",)),
    mapping_stage=MappingStageSettings(begins=3, vectors=4),
)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Twenty tones named as the free spoken digits are, 440 Hz for one, 880 Hz for zero."""
    folder = tmp_path_factory.mktemp("digits")
    time = np.arange(3000) / 8000
    for number in range(20):
        digit = number % 2
        tone = 0.3 * np.sin(2 * np.pi * (880 - 440 * digit) * time)
        soundfile.write(folder / f"{digit}_voice_{number}.wav", tone, 8000)
    return folder


@pytest.mark.parametrize("settings", [SETTINGS, SMALL], ids=["published", "small"])
def test_every_network_learns_and_the_result_generates(settings, digits, tmp_path):
    recipe = ASGANRecipe(settings, digits, CPU)
    assert list(recipe.networks) == [
        DISCRIMINATOR if settings is SETTINGS else CLASSIFIER,
        GENERATOR,
    ]
    before = {
        name: {k: v.clone() for k, v in network.named_parameters()}
        for name, network in recipe.networks.items()
    }
    state = train(recipe, tmp_path, settings.loop)
    for name, network in recipe.networks.items():
        moved = [not torch.equal(v, before[name][k]) for k, v in network.named_parameters()]
        assert np.mean(moved) > 0.9, name
    levels = [b for n, b in recipe.networks[GENERATOR].named_buffers() if n.endswith("norm_ema")]
    assert len(levels) == 3 and all(level > 0 for level in levels)
    model = load("generate", str(tmp_path / "last.safetensors"), place("cpu"))
    sound = next(iter(model.samples(GenerateRequest())))
    assert sound.shape == (1, 16000) and np.isfinite(sound).all()
    expected = state.ema[GENERATOR].generator.state_dict()
    found = model.generator.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert state.best[0][0] > 0
    assert len(recipe.examples(state.ema, 2)) == 2


@pytest.mark.parametrize("settings", [SETTINGS, STAGED], ids=["published", "small"])
def test_a_resumed_run_equals_an_unbroken_one(settings, digits, tmp_path):
    finals = []
    for stops in ((6,), (3, 6)):
        run = tmp_path / str(len(stops))
        for stop in stops:
            torch.manual_seed(settings.loop.seed)
            recipe = ASGANRecipe(settings, digits, CPU)
            train(recipe, run, settings.loop, until=stop)
        finals.append((recipe.networks[GENERATOR].state_dict(), recipe.state_dict()))
    assert all(torch.equal(finals[0][0][name], finals[1][0][name]) for name in finals[0][0])
    assert str(finals[0][1]) == str(finals[1][1])


def test_networks_take_turns_and_updates_are_skipped(digits):
    recipe = ASGANRecipe(SETTINGS, digits, CPU)

    class Drawn:
        def __init__(self, number):
            self.number = number

        def random(self):
            return self.number

    assert recipe.turns(2, Drawn(0.9)) == [DISCRIMINATOR]
    assert recipe.turns(3, Drawn(0.9)) == [GENERATOR]
    assert recipe.turns(2, Drawn(0.1)) == [GENERATOR]  # skipped
    assert recipe.turns(16, Drawn(0.1)) == [DISCRIMINATOR]
    assert ASGANRecipe(SMALL, digits, CPU).turns(2, Drawn(0.9)) == [CLASSIFIER, GENERATOR]


def test_the_mapping_network_learns_from_remembered_latents_alone(digits):
    recipe = ASGANRecipe(SMALL, digits, CPU)
    item = [recipe.item(np.random.default_rng(number)) for number in range(16)]
    batch = {name: torch.stack([torch.as_tensor(one[name]) for one in item]) for name in item[0]}
    found = recipe.losses(Turn(GENERATOR, 0), batch).losses
    names = {"reconstruction", "slopes", "divergence", "classification", "mapping", "total"}
    assert set(found) == names
    found["mapping"].backward()
    moved = {n for n, p in recipe.networks[GENERATOR].named_parameters() if p.grad is not None}
    assert moved and all(name.startswith("generator.W.") for name in moved)


def test_new_words_are_to_be_clear_too(digits):
    recipe = ASGANRecipe(SMALL, digits, CPU)
    batch = {"features": torch.zeros(4, 12, 16), "label": torch.zeros(4, dtype=torch.int64)}
    found = recipe.losses(Turn(GENERATOR, 0), batch).losses
    mapping = recipe.networks[GENERATOR].generator.W.parameters()
    found["classification"].backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in mapping)


def test_averaged_weights_get_the_levels_of_their_own_inputs(digits):
    recipe = ASGANRecipe(SMALL, digits, CPU)
    generator = recipe.networks[GENERATOR].generator
    right = [layer.norm_ema.item() for layer in [*generator.layers, generator.head]]
    for layer in [*generator.layers, generator.head]:
        layer.norm_ema.mul_(3.0)
    with torch.inference_mode():
        recipe.validate(recipe.networks)
    found = [layer.norm_ema.item() for layer in [*generator.layers, generator.head]]
    # By other vectors than those that the fresh network was levelled by.
    assert found == pytest.approx(right, rel=0.2)


def test_in_its_own_stage_only_the_mapping_network_learns(digits, tmp_path):
    weights = []
    for stop in (3, 6):
        torch.manual_seed(1)
        recipe = ASGANRecipe(STAGED, digits, CPU)
        assert list(recipe.turns(2, None)) == [CLASSIFIER, GENERATOR]
        assert list(recipe.turns(3, None)) == [MAPPING]
        train(recipe, tmp_path, STAGED.loop, until=stop)
        weights.append({k: v.clone() for k, v in recipe.networks[GENERATOR].state_dict().items()})
    moved = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert moved and all(name.startswith("generator.W.") for name in moved)


def test_the_penalty_comes_now_and_then(digits):
    recipe = ASGANRecipe(SETTINGS, digits, CPU)
    item = [recipe.item(np.random.default_rng(number)) for number in range(4)]
    batch = {name: torch.stack([torch.as_tensor(one[name]) for one in item]) for name in item[0]}
    assert batch["features"].shape == (4, 12, 16) and set(batch["label"].tolist()) <= {0, 1}
    plain = recipe.losses(Turn(DISCRIMINATOR, 1), batch).losses
    penalised = recipe.losses(Turn(DISCRIMINATOR, 2), batch).losses
    assert "r1" not in plain and penalised["r1"] > 0
    assert penalised["total"] > penalised["r1"] * 0.05


def test_hubert_features_are_read_from_files(digits, tmp_path):
    settings = replace(SETTINGS, data=WordSettings(words=(), features="hubert"))
    with pytest.raises(InputError, match="needs files of features"):
        ASGANRecipe(settings, digits, CPU)
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", np.full((10, 16), number, np.float32))
    recipe = ASGANRecipe(settings, tmp_path, CPU)
    found = recipe.item(np.random.default_rng(0))["features"]
    assert found.shape == (12, 16) and len(set(found.ravel().tolist())) == 1
    assert not recipe.examples({}, 2)


@pytest.mark.parametrize(
    "name", [name for name in presets() if name.startswith("asgan") and "." not in name]
)
def test_presets_are_settings(name):
    assert plan("asgan", name, ()).settings.loop.steps > 1000
