from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.data.coded_clips import CodedClipSettings
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.recipes import apollo_losses as losses
from audiofix.trainers.recipes import plan
from audiofix.trainers.recipes.apollo import (
    ApolloRecipe,
    LossSettings,
    Settings,
    ValidationSettings,
)
from audiofix.trainers.run_state import fresh_state
from audiofix.trainers.turns import Turns
from stages import noise
from toy import weights

from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.errors import SettingsError

pytest.importorskip("av")
CPU = torch.device("cpu")
RATE = 44100
SETTINGS = Settings(
    model=ApolloConfig(feature_dim=16, layer=1, residual=True, dither=1e-4),
    data=CodedClipSettings(samples=4410, channels=1, codings=("mp3:64k",), most_mixed=1),
    validation=ValidationSettings(("mp3:64k",), seconds=0.2),
    loss=LossSettings(log_spectral=1.0, waveform=0.5, adversarial=0.0, feature_matching=0.0),
    loop=LoopSettings(batch=2, optimisers={"generator": OptimiserSettings(rate=3e-3)}),
)
ADVERSARIAL = replace(SETTINGS, loss=LossSettings(windows=(64, 256)), loop=LoopSettings(batch=2))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    lines = ["split,file_path,duration"]
    for split in ("train", "validation"):
        soundfile.write(folder / f"{split}.wav", noise(2, RATE).T, RATE)
        lines.append(f"{split},{split}.wav,1.0")
    (folder / "m.csv").write_text("\n".join(lines) + "\n")
    return folder / "m.csv"


def stepped(settings, corpus, steps):
    torch.manual_seed(0)
    recipe = ApolloRecipe(settings, corpus, CPU)
    state = fresh_state(recipe, settings.loop)
    before = {name: weights({name: network}) for name, network in recipe.networks.items()}
    turns = Turns(recipe, settings.loop, World())
    with Batches(recipe.item, settings.loop, World(), CPU) as batches:
        figures = [turns.step(state, batches.parts(step)) for step in range(steps)]
    moved = {
        name: not torch.equal(before[name], weights({name: network}))
        for name, network in recipe.networks.items()
    }
    return recipe, figures, moved


def test_steps_lower_the_loss(corpus):
    _, figures, moved = stepped(SETTINGS, corpus, 8)
    assert moved == {"generator": True}
    assert figures[-1]["generator.total"] < 0.9 * figures[0]["generator.total"]


def test_the_discriminator_has_the_first_turn(corpus):
    recipe, figures, moved = stepped(ADVERSARIAL, corpus, 1)
    assert list(recipe.networks) == ["discriminator", "generator"]
    assert moved == {"discriminator": True, "generator": True}
    assert {"generator.adversarial", "generator.feature_matching"} <= figures[0].keys()
    assert 0.5 < figures[0]["discriminator.total"] < 1.5


def test_validation_tells_what_doing_nothing_gives(corpus):
    recipe = ApolloRecipe(SETTINGS, corpus, CPU)
    with torch.inference_mode():
        figures = recipe.validate(recipe.networks)
        (shown,) = recipe.examples(recipe.networks, 1)
    assert figures["lsd"] == figures["lsd_mp3:64k"] > 0
    assert figures["input_lsd_mp3:64k"] > 1  # noise above 11 kHz is cut off
    assert {"neg_sisdr_mp3:64k", "input_neg_sisdr_mp3:64k"} <= figures.keys()
    assert {name: sound.shape for name, sound in shown.sounds.items()} == {
        name: (1, 8820) for name in ("input", "estimate", "target")
    }


def test_an_exported_model_restores(corpus, tmp_path):
    recipe = ApolloRecipe(SETTINGS, corpus, CPU)
    recipe.export(recipe.networks, tmp_path / "m.safetensors")
    restorer = load("decode-restore", str(tmp_path / "m.safetensors"), place("cpu"))
    assert restorer.network.config == SETTINGS.model
    resumed = ApolloRecipe(
        replace(SETTINGS, start=str(tmp_path / "m.safetensors")), corpus, CPU
    ).networks
    assert torch.equal(weights(resumed), weights(recipe.networks))


def test_presets():
    published = plan("apollo", "apollo", ()).settings
    assert published.model == ApolloConfig()
    assert published.loss == LossSettings()
    assert published.loop.optimiser("discriminator").betas == (0.5, 0.99)
    small = plan("apollo", "apollo-small", ()).settings
    assert small.model.residual and small.half
    with pytest.raises(SettingsError, match="data.rate"):
        plan("apollo", "apollo", ("data.rate=48000",))


def test_pairs_of_ones_own(tmp_path):
    for split in ("train", "valid"):
        for kind, gain in {"original": 1.0, "codec": 0.5}.items():
            (tmp_path / split / kind).mkdir(parents=True)
            sound = gain * noise(2, RATE // 2)
            soundfile.write(tmp_path / split / kind / "x.wav", sound.T, RATE, subtype="FLOAT")
    recipe = ApolloRecipe(replace(SETTINGS, pairs=True), tmp_path, CPU)
    assert [one.duration for one in recipe.training + recipe.held_out] == [0.5, 0.5]
    item = recipe.item(np.random.default_rng(0))
    assert np.abs(item["coded"] - 0.5 * item["original"]).max() < 1e-6
    with torch.inference_mode():
        figures = recipe.validate(recipe.networks)
    # Half as loud: log10 of a quarter of the power.
    assert figures["input_lsd_pair"] == pytest.approx(0.602, abs=0.01)


def test_harm_is_the_lost_decibels():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(1, 1, 50000, generator=generator)
    error = torch.randn(1, 1, 50000, generator=generator)
    given = target + 0.1 * error  # 20 dB
    assert losses.harm(target + 0.2 * error, given, target).item() == pytest.approx(6.02, abs=0.1)
    assert losses.harm(target + 0.05 * error, given, target).item() == 0
    # Nothing can be lost of what is better than anyone hears.
    assert losses.harm(target + 0.001 * error, target, target).item() == 0
