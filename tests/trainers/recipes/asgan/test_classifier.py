"""A tiny classifier learns to tell two tones that are named like digits."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.recipes import plan
from audiofix.trainers.recipes.asgan.classifier import ClassifierRecipe, DataSettings, Settings

from audiofix.backends.asgan.config import ClassifierConfig
from audiofix.backends.systems import load_checkpoint
from audiofix.errors import SettingsError

CPU = torch.device("cpu")
SETTINGS = Settings(
    model=ClassifierConfig(nlabels=2, cardinality=1, base_width=4, widen_factor=1, depth=11),
    data=DataSettings(words=("zero", "one"), trim_db=40.0, speeds=(0.95, 1.05), masked_bands=3),
    loop=LoopSettings(
        steps=30,
        batch=4,
        ema_decay=0.0,
        validate_every=30,
        optimisers={"classifier": OptimiserSettings(rate=5e-3)},
    ),
)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    time = np.arange(2400) / 8000
    for number in range(24):
        digit = number % 2
        tone = 0.3 * np.sin(2 * np.pi * (2000 - 1600 * digit) * time)
        soundfile.write(folder / f"{digit}_voice_{number}.wav", tone, 8000)
    return folder


def test_tones_are_told_apart_after_a_few_steps(digits, tmp_path):
    torch.manual_seed(1)
    recipe = ClassifierRecipe(SETTINGS, digits, CPU)
    state = train(recipe, tmp_path, SETTINGS.loop)
    assert state.best[0][0] == 0
    made = load_checkpoint(str(tmp_path / "last.safetensors"))
    assert made.system == "asgan" and made.config["classifier"]["nlabels"] == 2
    own = recipe.networks["classifier"].state_dict()
    assert all(torch.equal(made.tensors[f"classifier.{n}"], own[n].float()) for n in own)


def test_items_are_pictures_that_differ(digits):
    recipe = ClassifierRecipe(SETTINGS, digits, CPU)
    first, second = (recipe.item(np.random.default_rng(seed)) for seed in (0, 1))
    assert first["picture"].shape == (1, 32, 32)
    assert not np.array_equal(first["picture"], second["picture"])


def test_words_and_labels_must_be_as_many():
    with pytest.raises(SettingsError, match="must be model.nlabels"):
        replace(SETTINGS, data=DataSettings())


@pytest.mark.parametrize("name", ["asgan.classifier", "asgan.classifier-small"])
def test_presets_are_settings(name):
    assert plan("asgan.classifier", name, ()).settings.loop.steps > 100
