"""A short training of a tiny codec of spectra."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.progress import no_bar
from audiofix.trainers.recipe import Turn
from audiofix.trainers.recipes.audiodec_spectral import LossSettings, Settings, SpectralRecipe
from audiofix.trainers.recipes.reconstruction import ClipSettings
from corpus import RATE, corpus, tones

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.config import SpectralConfig
from audiofix.backends.audiodec.spectral import LEVEL_FLOOR
from audiofix.backends.placement import place
from audiofix.backends.systems import load, load_checkpoint
from audiofix.streaming.roundtrip import RoundTrip

CPU = torch.device("cpu")
MODEL = SpectralConfig(
    hop=40, window=128, fall=40, span=60, bands=16, codebook_num=3, codebook_size=16, channels=16,
    blocks=1,
)  # fmt: skip
SETTINGS = Settings(
    name="tiny",
    model=MODEL,
    data=ClipSettings(rate=RATE, samples=2400, validation_files=1),
    loss=LossSettings(mel_fft=256, mel_bands=20),
    loop=LoopSettings(
        steps=30,
        batch=4,
        ema_decay=0.0,
        log_every=1,
        save_every=30,
        validate_every=30,
        optimisers={"generator": OptimiserSettings(rate=3e-3, schedule="constant")},
    ),
    clips=12,
    frames=40,
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def recipe(manifest):
    return prepared(SETTINGS, manifest)


def prepared(settings, manifest):
    torch.manual_seed(0)
    recipe = SpectralRecipe(settings, manifest, CPU)
    recipe.prepare(no_bar)
    return recipe


@pytest.fixture(scope="module")
def run(manifest, tmp_path_factory):
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    train(SpectralRecipe(SETTINGS, manifest, CPU), folder, SETTINGS.loop)
    return folder


def test_items_are_what_the_decoder_gets_and_should_tell(recipe):
    item = recipe.item(np.random.default_rng(0))
    assert item["vectors"].shape == (16, 40)
    assert item["target"].shape == (80, 65) and item["weights"].shape == (80,)
    codec = recipe.networks["generator"]
    filters = codec.encoder.filters.numpy()
    levels = np.log(np.exp(item["target"][1::2]) @ filters.T)  # of the code frames themselves
    decoded = codec.projector.matrix.numpy().T @ item["vectors"]
    assert np.corrcoef(levels.T.ravel(), decoded.ravel())[0, 1] > 0.95


def test_prediction_follows_what_changes_slowly(recipe):
    prediction = recipe.networks["generator"].quantizer.prediction
    assert prediction[0] > 0.5 and torch.all((prediction >= 0) & (prediction <= 1))


def test_codebooks_are_of_what_decoded_vectors_leave(manifest, recipe):
    """Fitted to the clips' own vectors alone, they quantise more coarsely."""
    errors = []
    for loops in (1, 0):
        settings = replace(SETTINGS, closed_loops=loops, clips=40)
        codec = prepared(settings, manifest).networks["generator"]
        z = codec.projector(codec.encoder(torch.from_numpy(tones(3, 4800))[None, None]))
        errors.append((codec.quantizer(z).vectors - z).square().mean().item())
    assert errors[0] < 0.95 * errors[1]


def test_only_the_decoder_learns_and_its_losses_fall(manifest, run):
    before = prepared(SETTINGS, manifest).networks["generator"].state_dict()
    after = load_checkpoint(str(run / "last.safetensors")).tensors
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder"}
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    level = [line["generator.level"] for line in lines if "generator.level" in line]
    assert np.mean(level[-5:]) < 0.9 * np.mean(level[:3])
    figures = next(line for line in lines if "validation.mel" in line)
    assert 1 <= figures["validation.perplexity_1"] <= 16


def test_a_frame_counts_by_its_loudness(recipe):
    """Where the weight is zero, another target changes nothing of the level's distance."""
    item = recipe.item(np.random.default_rng(1))
    batch = {name: torch.from_numpy(part)[None] for name, part in item.items()}
    batch["weights"][:, :60] = 0
    turn = Turn("generator", 0)
    before = recipe.losses(turn, dict(batch)).losses["level"]
    batch["target"] = batch["target"].clone()
    batch["target"][:, :60] += 1
    assert recipe.losses(turn, dict(batch)).losses["level"] == before
    batch["target"][:, 60:] += 1
    assert recipe.losses(turn, dict(batch)).losses["level"] != before


def test_a_second_run_hears_the_sound_and_keeps_the_codes(manifest, run, tmp_path):
    start = str(run / "last.safetensors")
    loss = replace(SETTINGS.loss, stft=1.0, mel=1.0)
    loop = replace(SETTINGS.loop, steps=3, save_every=3, validate_every=3)
    settings = replace(SETTINGS, start=start, loss=loss, loop=loop)
    recipe = SpectralRecipe(settings, manifest, CPU)
    train(recipe, tmp_path, loop)
    before = load_checkpoint(start).tensors
    after = load_checkpoint(str(tmp_path / "last.safetensors")).tensors
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder"}
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[1])
    assert {"generator.mel", "generator.stft"} <= line.keys()


def test_the_sound_is_in_time_with_its_target(recipe):
    """Of the true magnitudes the sound has the target's envelope, frame by frame."""
    codec = recipe.networks["generator"]
    item = recipe.item(np.random.default_rng(5))
    levels = torch.from_numpy(item["target"])[None]
    magnitudes = (levels.exp() - LEVEL_FLOOR) * codec.decoder.inversion.analysis.sum()
    samples = codec.decoder.inversion.differentiable(magnitudes)
    clean = item["clean"][0]
    y = codec.decoder.final(samples, len(clean) // MODEL.hop)[0].numpy()
    assert y.shape == clean.shape
    found, wanted = (np.abs(one).reshape(-1, 20).mean(1) for one in (y, clean))
    lags = [np.corrcoef(found[4:-4], np.roll(wanted, lag)[4:-4])[0, 1] for lag in range(-3, 4)]
    assert np.argmax(lags) == 3


def test_what_is_exported_is_a_codec_in_time(run):
    codec = load("encode", str(run / "last.safetensors"), place("cpu"))
    assert (codec.name, codec.layout.hop, codec.layout.bits) == ("tiny", 40, 4)
    x = np.zeros((1, 6000), np.float32)
    x[0, 3000:] = tones(9, 3000)
    stage = RoundTrip(codec, AudioFormat(RATE, 1))
    y = np.concatenate([stage.push(x), stage.flush()], axis=1)
    assert y.shape == x.shape and np.isfinite(y).all()
    size = np.abs(y[0]).reshape(-1, 40).mean(1)
    assert size[80:].mean() > 5 * size[20:70].mean()
