from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.batches import Batches, collated
from audiofix.trainers.data.band import BandSettings
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Turn
from audiofix.trainers.recipes.vmasr import DataSettings, LossSettings, Settings, VMASRRecipe
from audiofix.trainers.run_state import fresh_state
from audiofix.trainers.turns import Turns
from stages import noise
from tiny import CONFIG
from toy import weights

from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.errors import CheckpointError, InputError, SettingsError

CPU = torch.device("cpu")
SETTINGS = Settings(
    model=CONFIG,
    data=DataSettings(
        frames=32,
        band=BandSettings(rates=(16000,), soxr=0.0, polyphase=1.0),
        validation_rates=(16000,),
    ),
    loss=LossSettings(distance=1.0, magnitude=0.3, stft=1.0),
    loop=LoopSettings(batch=2),
    filled=True,
)
ADVERSARIAL = LossSettings(stft=1.0, adversarial=1.0, feature_matching=100.0, hidden=1)
PUBLISHED = replace(SETTINGS, keep_low_band=False, filled=False, loss=ADVERSARIAL)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Noise, a recording that is shorter than a clip, and silence."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["split,file_path,duration"]
    sounds = {"noise": noise(1, 24000), "short": noise(1, 2000), "silence": np.zeros((1, 24000))}
    for name, sound in sounds.items():
        soundfile.write(folder / f"{name}.wav", sound.T, 48000)
        rows += [f"{split},{name}.wav,{sound.shape[1] / 48000}" for split in ("train", "valid")]
    (folder / "m.csv").write_text("\n".join(rows) + "\n")
    return folder / "m.csv"


def recipe_of(settings, corpus):
    torch.manual_seed(0)
    return VMASRRecipe(settings, corpus, CPU)


def stepped(settings, corpus, steps=1):
    recipe = recipe_of(settings, corpus)
    state = fresh_state(recipe, settings.loop)
    before = {turn: weights({turn: network}) for turn, network in recipe.networks.items()}
    turns = Turns(recipe, settings.loop, World())
    with Batches(recipe.item, settings.loop, World(), CPU) as batches:
        found = [turns.step(state, batches.parts(step)) for step in range(steps)]
    after = {turn: weights({turn: network}) for turn, network in recipe.networks.items()}
    return before, after, found


def test_an_item_is_a_clip_without_its_high_band(corpus):
    recipe = recipe_of(SETTINGS, corpus)
    item = recipe.item(np.random.default_rng(1))
    assert item["clean"].shape == item["degraded"].shape == (1, 31 * CONFIG.hop_length)
    spectra = [np.abs(np.fft.rfft(item[name][0])) for name in ("clean", "degraded")]
    top = slice(int(0.4 * spectra[0].size), None)  # above 9.6 kHz
    assert spectra[1][top].sum() < 0.05 * spectra[0][top].sum()
    share = int(item["edge"]) / CONFIG.bins
    assert 0.3 < share <= 1 / 3  # 8 of 24 kHz
    again = recipe.item(np.random.default_rng(1))
    assert all(np.array_equal(item[name], again[name]) for name in item)


def test_what_a_recording_does_not_know_is_not_asked_for(corpus, tmp_path):
    soundfile.write(tmp_path / "low.wav", noise(1, 12000).T, 24000)
    manifest = tmp_path / "m.csv"
    manifest.write_text("split,file_path,duration\ntrain,low.wav,0.5\nvalid,low.wav,0.5\n")
    band = replace(SETTINGS.data.band, rates=(8000, 16000, 32000))
    data = replace(SETTINGS.data, band=band, validation_rates=(16000, 24000))
    recipe = recipe_of(replace(SETTINGS, data=data), manifest)
    items = [recipe.item(np.random.default_rng(seed)) for seed in range(8)]
    assert {float(item["known"]) for item in items} == {0.5}
    assert max(int(item["edge"]) for item in items) < CONFIG.bins / 3  # 32 kHz is never drawn
    with torch.inference_mode():
        assert recipe.validate(recipe.networks).keys() == {"lsd_16000", "lsd"}
    # Above 12 kHz the target is empty; that the network fills it must cost nothing.
    batch = {name: torch.from_numpy(value)[None] for name, value in items[0].items()}
    loud = {**batch, "clean": batch["clean"] + torch.from_numpy(above_15_khz(batch["clean"].shape))}
    for name in ("distance", "magnitude"):
        quiet, filled = (
            recipe.losses(Turn("generator", 0), one).losses[name] for one in (batch, loud)
        )
        assert filled.item() == pytest.approx(quiet.item(), rel=0.05)


def above_15_khz(shape):
    spectra = np.fft.rfft(noise(1, shape[-1]))
    spectra[:, : int(spectra.shape[1] * 15 / 24)] = 0
    return np.fft.irfft(spectra, shape[-1])[None].astype(np.float32)


@pytest.mark.parametrize("gan", ["lsgan", "wgan", "wgan-gp"])
def test_generator_and_discriminator_have_their_turns(corpus, gan):
    settings = replace(PUBLISHED, loss=replace(ADVERSARIAL, gan=gan))
    before, after, (found,) = stepped(settings, corpus)
    for turn in ("generator", "discriminator"):
        assert not torch.equal(before[turn], after[turn])
    assert found.keys() >= {
        "generator.stft",
        "generator.adversarial",
        "generator.feature_matching",
        "discriminator.total",
    }
    total = found["generator.stft"] + found["generator.adversarial"]
    total += 100 * found["generator.feature_matching"]
    assert found["generator.total"] == pytest.approx(total, rel=1e-4)


def test_the_penalty_is_added(corpus):
    plain, penalised = (
        stepped(replace(PUBLISHED, loss=replace(ADVERSARIAL, gan=gan)), corpus)[2][0]
        for gan in ("wgan", "wgan-gp")
    )
    assert penalised["discriminator.total"] > plain["discriminator.total"]


@pytest.mark.parametrize("settings", [SETTINGS, PUBLISHED], ids=["ours", "published"])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains(corpus, settings, precision):
    settings = replace(settings, loop=replace(settings.loop, precision=precision))
    before, after, found = stepped(settings, corpus, 2)
    assert not torch.equal(before["generator"], after["generator"])
    assert np.isfinite(found[-1]["generator.total"])


def test_silence_and_short_recordings_have_finite_gradients(corpus, tmp_path):
    manifest = corpus.parent / "silent.csv"
    manifest.write_text("split,file_path,duration\ntrain,silence.wav,1\nvalid,silence.wav,1\n")
    for settings in (SETTINGS, PUBLISHED):
        _, after, found = stepped(settings, manifest)
        assert after["generator"].isfinite().all()
        assert np.isfinite(found[0]["generator.grad_norm"])


def test_the_low_band_stays_the_inputs_own(corpus):
    recipe = recipe_of(SETTINGS, corpus)
    network = recipe.networks["generator"].eval()
    batch = {
        name: torch.from_numpy(value)[None]
        for name, value in recipe.item(np.random.default_rng(1)).items()
    }
    with torch.no_grad():
        spectra, _ = recipe._made(network, batch["degraded"], batch["edge"])
        source = network.transform(batch["degraded"])
    below = int(batch["edge"]) - 10
    assert torch.equal(spectra[:, :below], source[:, :below])
    assert not torch.allclose(spectra[:, below + 12 :], source[:, below + 12 :])


def test_validates_and_shows_what_is_held_out(corpus):
    recipe = recipe_of(replace(SETTINGS, data=replace(SETTINGS.data, validation_files=1)), corpus)
    with torch.inference_mode():
        figures = recipe.validate(recipe.networks)
        examples = recipe.examples(recipe.networks, 1)
    assert figures.keys() == {"lsd_16000", "lsd"} and figures["lsd"] == figures["lsd_16000"] > 0
    (example,) = examples
    assert example.name == "noise-16000"
    assert {sound.shape for sound in example.sounds.values()} == {(1, 31 * 240)}
    assert list(example.sounds) == ["input", "estimate", "target"]


def test_what_is_exported_restores(corpus, tmp_path):
    recipe = recipe_of(SETTINGS, corpus)
    recipe.export(recipe.networks, tmp_path / "x.safetensors")
    restorer = load("upsample", str(tmp_path / "x.safetensors"), place("cpu"), rate=16000)
    own, read = recipe.networks["generator"].state_dict(), restorer.network.state_dict()
    assert all(torch.equal(own[name], read[name]) for name in own)
    assert restorer.rate == 48000


def test_starts_from_a_checkpoint(corpus, tmp_path):
    recipe = recipe_of(SETTINGS, corpus)
    path = tmp_path / "x.safetensors"
    recipe.export(recipe.networks, path)
    torch.manual_seed(5)
    again = VMASRRecipe(replace(SETTINGS, start=str(path)), corpus, CPU)
    assert torch.equal(weights(again.networks), weights(recipe.networks))
    other = replace(SETTINGS, start=str(path), model=VMASRConfig(dims=8))
    with pytest.raises(CheckpointError, match="does not fit"):
        VMASRRecipe(other, corpus, CPU)


def test_only_the_named_folders_are_used(corpus):
    data = replace(SETTINGS.data, folders=(corpus.parent.name,))
    assert len(recipe_of(replace(SETTINGS, data=data), corpus).training) == 3
    data = replace(SETTINGS.data, folders=("elsewhere",))
    with pytest.raises(InputError, match="split train has nothing in data.folders"):
        recipe_of(replace(SETTINGS, data=data), corpus)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": DataSettings(frames=33)}, "data.frames: 33: must be a multiple of 16"),
        ({"data": DataSettings(frames=32, validation_rates=())}, "validation_rates"),
        ({"loss": LossSettings(stft=0.0)}, "loss: give"),
    ],
)
def test_refuses_what_the_network_cannot_take(given, message):
    with pytest.raises(SettingsError, match=message):
        replace(SETTINGS, **given)


@pytest.mark.parametrize("settings", [SETTINGS, PUBLISHED], ids=["ours", "published"])
def test_a_batchs_losses_are_the_means_of_its_items(corpus, settings):
    """So that processes and accumulated parts can share a batch out."""
    recipe = recipe_of(settings, corpus)
    for network in recipe.networks.values():
        network.eval()  # no drop-path, no power iterations
    items = [recipe.item(np.random.default_rng(seed)) for seed in range(3)]
    for turn in recipe.networks:
        batches = [collated(some, CPU) for some in (items, *([item] for item in items))]
        results = []
        for batch in batches:
            fake = recipe.losses(Turn("generator", 0), batch).fake.detach()
            results.append(recipe.losses(Turn(turn, 0, fake), batch).losses)
        whole, *singles = results
        for name, loss in whole.items():
            mean = np.mean([single[name].item() for single in singles])
            assert loss.item() == pytest.approx(mean, rel=1e-4), (turn, name)
