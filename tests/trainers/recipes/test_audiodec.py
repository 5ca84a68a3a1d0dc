"""Short trainings of a tiny AudioDec, stage by stage."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.progress import no_bar
from audiofix.trainers.recipes import plan, presets
from audiofix.trainers.recipes.audiodec import (
    AudioDecRecipe,
    DataSettings,
    LossSettings,
    Settings,
)
from audiofix.trainers.recipes.reconstruction import DiscriminatorSettings
from corpus import RATE, corpus, tones
from tiny import AUTOENCODER

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load, load_checkpoint
from audiofix.errors import InputError, SettingsError
from audiofix.streaming.roundtrip import RoundTrip

CPU = torch.device("cpu")
LOOP = LoopSettings(
    steps=3,
    batch=2,
    ema_decay=0.0,
    save_every=3,
    optimisers={"generator": OptimiserSettings(schedule="constant")},
)
SETTINGS = Settings(
    name="tiny",
    model=AUTOENCODER,
    data=DataSettings(rate=RATE, samples=2400),
    loss=LossSettings(mel_fft=256, mel_bands=20),
    loop=LOOP,
)
ADVERSARIAL = replace(SETTINGS.loss, adversarial=1.0, feature_matching=2.0)
SMALL_DISCRIMINATOR = DiscriminatorSettings(divisor=8)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def first(manifest, tmp_path_factory):
    """The folder of a first run."""
    run = tmp_path_factory.mktemp("first")
    trained(SETTINGS, manifest, run)
    return run


def trained(settings, manifest, run):
    """Train in `run` and return the recipe."""
    torch.manual_seed(settings.loop.seed)
    recipe = AudioDecRecipe(settings, manifest, CPU)
    train(recipe, run, settings.loop)
    return recipe


def moved(before, after):
    """Return the parts of a codec of which a tensor has changed by a single bit."""
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def lines(run: Path):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_validation_tells_how_codebooks_are_used(first):
    figures = next(line for line in lines(first) if "validation.mel" in line)
    for book in (1, 2, 3):
        assert 1 <= figures[f"validation.perplexity_{book}"] <= 32
        assert 0 <= figures[f"validation.unused_codewords_{book}"] <= 31


def test_what_is_exported_is_a_codec(first):
    codec = load("encode", str(first / "last.safetensors"), place("cpu"))
    assert (codec.name, codec.layout.rate, codec.layout.hop) == ("tiny", RATE, 24)
    x = tones(9, 5000)[None]
    stage = RoundTrip(codec, AudioFormat(RATE, 1))
    y = np.concatenate([stage.push(x), stage.flush()], axis=1)
    assert y.shape == x.shape and np.isfinite(y).all() and np.abs(y).max() > 0


def test_the_first_stage_learns_all_parts(manifest, first):
    torch.manual_seed(LOOP.seed)
    before = AudioDecRecipe(SETTINGS, manifest, CPU).networks["generator"].state_dict()
    after = load_checkpoint(str(first / "last.safetensors")).tensors
    assert moved(before, after) == {"encoder", "projector", "quantizer", "decoder"}


@pytest.mark.parametrize(
    ("changes", "learning"),
    [
        (
            {"frozen": ("encoder",), "loss": ADVERSARIAL, "discriminator": SMALL_DISCRIMINATOR},
            {"decoder"},
        ),
        ({"frozen": ("decoder",)}, {"encoder", "projector"}),
    ],
    ids=["second stage", "denoising"],
)
def test_what_is_frozen_keeps_its_bits(changes, learning, manifest, first, tmp_path):
    start = str(first / "last.safetensors")
    settings = replace(SETTINGS, start=start, learn_codebooks=False, **changes)
    recipe = trained(settings, manifest, tmp_path)
    before = load_checkpoint(start).tensors
    assert moved(before, recipe.networks["generator"].state_dict()) == learning
    assert moved(before, load_checkpoint(str(tmp_path / "last.safetensors")).tensors) == learning


def test_a_discriminator_moves_beside_the_generator(manifest, tmp_path):
    settings = replace(SETTINGS, loss=ADVERSARIAL, discriminator=SMALL_DISCRIMINATOR)
    torch.manual_seed(LOOP.seed)
    before = AudioDecRecipe(settings, manifest, CPU).networks["discriminator"].state_dict()
    recipe = trained(replace(settings, loop=replace(LOOP, log_every=1)), manifest, tmp_path)
    after = recipe.networks["discriminator"].state_dict()
    assert all(not torch.equal(before[name], after[name]) for name in before)
    step = next(line for line in lines(tmp_path) if "generator.total" in line)
    expected = {"mel", "commitment", "adversarial", "feature_matching"}
    assert {name.split(".")[1] for name in step if name.startswith("generator.")} >= expected
    total = 45 * step["generator.mel"] + step["generator.commitment"]
    total += step["generator.adversarial"] + 2 * step["generator.feature_matching"]
    assert step["generator.total"] == pytest.approx(total, rel=1e-5)
    assert step["discriminator.total"] > 0


def test_a_discriminator_can_have_a_learning_rate_of_its_own(manifest, tmp_path):
    discriminator = OptimiserSettings(rate=4e-4, schedule="multistep", milestones=(1, 2, 3))
    generator = OptimiserSettings(rate=1e-4, schedule="constant")
    optimisers = {"generator": generator, "discriminator": discriminator}
    loop = replace(LOOP, optimisers=optimisers)
    settings = replace(SETTINGS, loss=ADVERSARIAL, discriminator=SMALL_DISCRIMINATOR, loop=loop)
    state = train(AudioDecRecipe(settings, manifest, CPU), tmp_path, loop)
    rates = {name: one.param_groups[0]["lr"] for name, one in state.optimisers.items()}
    assert rates == {"generator": 1e-4, "discriminator": pytest.approx(1e-4)}


def test_a_denoiser_hears_what_it_must_not_repeat(manifest):
    data = replace(SETTINGS.data, noise_db=(10.0, 10.0))
    recipe = AudioDecRecipe(replace(SETTINGS, data=data), manifest, CPU)
    item = recipe.item(np.random.default_rng(3))
    noise = item["input"] - item["clean"]
    ratio = 10 * np.log10(np.mean(item["clean"] ** 2) / np.mean(noise**2))
    assert ratio == pytest.approx(10, abs=0.1)
    clean, source = recipe.held_out_pair(recipe.held_out[0])
    again = recipe.held_out_pair(recipe.held_out[0])
    assert clean.shape == source.shape == (1, 1, 7992)
    assert not torch.equal(clean, source) and torch.equal(source, again[1])


def test_noises_come_from_where_they_are_said_to_be(manifest, tmp_path):
    (tmp_path / "n").mkdir()
    noises = corpus(tmp_path / "n", training=1, validation=1)
    data = replace(SETTINGS.data, noise_db=(0.0, 0.0), noise=str(noises))
    recipe = AudioDecRecipe(replace(SETTINGS, data=data), manifest, CPU)
    assert [one.path for one in recipe._noises._recordings] == [tmp_path / "n" / "0.wav"]


def test_first_codebooks_come_from_the_vectors(manifest):
    """Three books of 32 words leave less of the vectors than random words do."""

    def error(recipe):
        codec = recipe.networks["generator"].eval()
        with torch.no_grad():
            z = codec.projector(codec.encoder(recipe.held_out_pair(recipe.held_out[0])[1]))
            return ((codec.quantizer(z).vectors - z).square().mean() / z.square().mean()).item()

    found = []
    for from_data in (True, False):
        torch.manual_seed(1)
        recipe = AudioDecRecipe(replace(SETTINGS, codebooks_from_data=from_data), manifest, CPU)
        recipe.prepare(no_bar)
        found.append(error(recipe))
    assert found[0] < 0.2 < found[1]


def test_without_codes_nothing_commits(manifest, tmp_path):
    settings = replace(SETTINGS, quantised=False, loop=replace(LOOP, steps=1, log_every=1))
    trained(settings, manifest, tmp_path)
    names = {name for line in lines(tmp_path) for name in line}
    assert "generator.mel" in names and "validation.mel" in names
    assert not any("commitment" in name or "perplexity" in name for name in names)


def test_the_same_run_again_is_the_same(manifest, first, tmp_path):
    trained(SETTINGS, manifest, tmp_path)
    again, before = (load_checkpoint(str(run / "last.safetensors")) for run in (tmp_path, first))
    assert not moved(before.tensors, again.tensors)


def test_going_on_is_the_same_as_not_stopping(manifest, first, tmp_path):
    torch.manual_seed(LOOP.seed)
    train(AudioDecRecipe(SETTINGS, manifest, CPU), tmp_path, LOOP, until=2)
    torch.manual_seed(99)
    train(AudioDecRecipe(SETTINGS, manifest, CPU), tmp_path, LOOP)
    again, before = (load_checkpoint(str(run / "last.safetensors")) for run in (tmp_path, first))
    assert not moved(before.tensors, again.tensors)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"frozen": ("encoder",)}, SettingsError, "start=CHECKPOINT"),
        ({"data": replace(SETTINGS.data, samples=2401)}, SettingsError, "multiple of 24"),
        ({"data": replace(SETTINGS.data, folders=("no",))}, InputError, "data.folders"),
        (
            {"discriminator": DiscriminatorSettings(divisor=3), "loss": ADVERSARIAL},
            SettingsError,
            "divisor",
        ),
    ],
)
def test_what_cannot_be_trained(changes, error, words, manifest):
    with pytest.raises(error, match=words):
        AudioDecRecipe(replace(SETTINGS, **changes), manifest, CPU)


def test_noise_without_a_range_is_refused():
    with pytest.raises(SettingsError, match="two numbers"):
        Settings(data=DataSettings(noise_db=(10.0,)))


def test_presets_are_what_was_published():
    one, two, denoise = (
        plan("audiodec", name, ()).settings
        for name in ("audiodec", "audiodec-2", "audiodec-denoise")
    )
    for settings in (one, two, denoise):
        assert (
            settings.loop.optimiser("generator").betas == (0.5, 0.9) and settings.loop.batch == 16
        )
        assert (settings.loss.mel, settings.loss.commitment) == (45, 1)
        assert settings.model == Settings().model and settings.model.hop == 300
    assert (one.loop.steps, one.data.samples, one.loss.needs_discriminator) == (
        200_000,
        9600,
        False,
    )
    assert (two.loop.steps, two.loss.adversarial, two.loss.feature_matching) == (500_000, 1, 2)
    assert two.loop.optimiser("discriminator").milestones == (200_000, 400_000, 600_000, 800_000)
    assert (denoise.frozen, denoise.data.samples) == (("decoder",), 96_000)


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("audiodec")])
def test_every_preset_can_be_read(name):
    system = name.partition("-")[0]
    settings = plan(system, name, ()).settings
    hop = settings.model.hop
    assert settings.data.samples % hop == 0 and settings.data.rate % hop == 0
