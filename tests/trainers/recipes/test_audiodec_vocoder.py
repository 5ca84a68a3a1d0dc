"""A vocoder for the vectors of a tiny AudioDec."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from audiofix.trainers.data.clips import read_sound
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.sound import SoundLossSettings
from audiofix.trainers.progress import no_bar
from audiofix.trainers.recipes import audiodec_vocoder, plan
from audiofix.trainers.recipes.audiodec_vocoder import Settings, VocoderRecipe
from audiofix.trainers.recipes.reconstruction import ClipSettings, DiscriminatorSettings
from corpus import RATE, corpus, tones
from tiny import VOCODER, tiny_codec_checkpoint

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.config import VOCODER_PREFIX
from audiofix.backends.placement import place
from audiofix.backends.systems import load, load_checkpoint
from audiofix.errors import SettingsError
from audiofix.streaming.roundtrip import RoundTrip

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    start = tiny_codec_checkpoint(tmp_path_factory.mktemp("start") / "codec.safetensors")
    return Settings(
        name="tiny-v1",
        start=str(start),
        model=VOCODER,
        discriminator=DiscriminatorSettings(divisor=8),
        data=ClipSettings(rate=RATE, samples=2400),
        loss=SoundLossSettings(mel_fft=256, mel_bands=20, adversarial=1.0, feature_matching=2.0),
        loop=LoopSettings(steps=2, batch=2, ema_decay=0.0, log_every=1),
    )


def test_the_result_is_a_codec_with_a_vocoder(settings, manifest, tmp_path):
    recipe = prepared(settings, manifest)
    before = {
        turn: {name: tensor.clone() for name, tensor in network.state_dict().items()}
        for turn, network in recipe.networks.items()
    }
    train(recipe, tmp_path, settings.loop)
    for turn, network in recipe.networks.items():
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, before[turn][name]) == (name in ("mean", "scale")), name
    made = load_checkpoint(str(tmp_path / "last.safetensors"))
    start = load_checkpoint(settings.start)
    assert all(torch.equal(made.tensors[name], start.tensors[name]) for name in start.tensors)
    vocoder = recipe.networks["generator"].state_dict()
    assert all(torch.equal(made.tensors[VOCODER_PREFIX + n], vocoder[n]) for n in vocoder)

    codec = load("encode", str(tmp_path / "last.safetensors"), place("cpu"))
    plain = load("encode", settings.start, place("cpu"))
    assert codec.layout.checkpoint == plain.layout.checkpoint
    x = tones(9, 4001)[None]
    sounds = []
    for one in (codec, plain):
        stage = RoundTrip(one, AudioFormat(RATE, 1))
        sounds.append(np.concatenate([stage.push(x), stage.flush()], axis=1))
    assert sounds[0].shape == sounds[1].shape == x.shape
    assert not np.array_equal(*sounds) and np.abs(sounds[0]).max() <= 1


def prepared(settings, manifest):
    recipe = VocoderRecipe(settings, manifest, CPU)
    recipe.prepare(no_bar)
    return recipe


def test_vectors_are_normalised_by_what_all_training_files_hold(settings, manifest):
    recipe = prepared(settings, manifest)
    sounds = [torch.from_numpy(read_sound(one, RATE))[None] for one in recipe.training]
    assert len(sounds) == 3
    rows = torch.cat([recipe.vectors(sound)[0] for sound in sounds], dim=1).double()
    vocoder = recipe.networks["generator"]
    torch.testing.assert_close(vocoder.mean.double(), rows.mean(1), rtol=1e-5, atol=1e-6)
    deviation = rows.std(1, correction=0)
    torch.testing.assert_close(vocoder.scale.double(), deviation, rtol=1e-4, atol=1e-6)
    assert (deviation > 0).all()
    fewer = prepared(replace(settings, statistics_files=1), manifest)
    first = recipe.vectors(sounds[0])[0].mean(1)
    torch.testing.assert_close(fewer.networks["generator"].mean, first, rtol=1e-5, atol=1e-6)


def test_long_files_are_measured_in_stretches(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(audiodec_vocoder, "_STRETCH_SECONDS", 0.3)
    recipe = prepared(settings, corpus(tmp_path, training=1, validation=1))
    sound = torch.from_numpy(read_sound(recipe.training[0], RATE))[None]
    stretches = sound.split(2400, dim=2)
    assert [one.shape[2] for one in stretches] == [2400, 2400, 2400, 800]
    rows = torch.cat([recipe.vectors(one)[0] for one in stretches], dim=1)
    torch.testing.assert_close(
        recipe.networks["generator"].mean, rows.mean(1), rtol=1e-5, atol=1e-6
    )
    assert not torch.allclose(recipe.vectors(sound)[0].mean(1), rows.mean(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": ""}, "start=CHECKPOINT"),
        ({"data": ClipSettings(rate=16000, samples=2400)}, "data.rate: gives 16000"),
        ({"model": replace(VOCODER, in_channels=9)}, "in_channels: gives 9"),
    ],
)
def test_what_does_not_fit_the_autoencoder(changes, words, settings, manifest):
    with pytest.raises(SettingsError, match=words):
        VocoderRecipe(replace(settings, **changes), manifest, CPU)


def test_the_preset_is_what_was_published():
    found = plan("audiodec.vocoder", None, ()).settings
    assert found.model == Settings().model and found.loop.steps == 500_000
    assert (found.loss.mel, found.loss.adversarial, found.loss.feature_matching) == (45, 1, 2)
    optimiser = found.loop.optimiser("generator")
    assert optimiser.milestones == (200_000, 400_000, 600_000, 800_000)
    assert (optimiser.schedule, optimiser.gamma, optimiser.rate) == ("multistep", 0.5, 2e-4)
