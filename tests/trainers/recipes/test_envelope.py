from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.recipe import TOTAL, Turn
from audiofix.trainers.recipes import plan
from audiofix.trainers.recipes.envelope import EnvelopeRecipe
from audiofix.trainers.recipes.envelope_settings import (
    Chain,
    DataSettings,
    LossSettings,
    Settings,
)
from envelopes import CONFIG, mono
from stages import feed, noise

from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import UpsampleRequest

CPU = torch.device("cpu")
SETTINGS = Settings(
    model=CONFIG,
    data=DataSettings(
        frames=40,
        tones=0.0,
        rates=(16000,),
        validation_rates=(16000,),
        chains={"speech": Chain(voice=True)},
    ),
    loop=LoopSettings(
        steps=60, batch=2, optimisers={"generator": OptimiserSettings(rate=1e-2, warmup_steps=5)}
    ),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """White noise at 48 kHz, and at 44.1 kHz as music."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["split,file_path,duration,kind"]
    for name, rate in (("speech", 48000), ("music", 44100)):
        soundfile.write(folder / f"{name}.wav", noise(1, rate).T, rate)
        rows += [f"{split},{name}.wav,1,{name}" for split in ("train", "valid")]
    (folder / "m.csv").write_text("\n".join(rows) + "\n")
    return folder / "m.csv"


def recipe_of(settings, corpus):
    torch.manual_seed(0)
    return EnvelopeRecipe(settings, corpus, CPU)


def items(settings, corpus, count=12):
    recipe = recipe_of(settings, corpus)
    return [recipe.item(np.random.default_rng(seed)) for seed in range(count)]


def test_an_item_is_repeatable_and_of_one_size(corpus):
    first, again = items(SETTINGS, corpus), items(SETTINGS, corpus)
    for one, other in zip(first, again, strict=True):
        assert one["statistics"].shape == (40, 5, 80)
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_a_recording_does_not_know_is_not_asked_for(corpus):
    counts = {int(item["known"].sum()) for item in items(SETTINGS, corpus)}
    assert counts == {80, int(0.955 * 22050 / 300)}


def test_music_may_be_known_to_end_at_half_its_rate(corpus):
    data = replace(SETTINGS.data, chains={"music": Chain(ends=True)})
    found = items(replace(SETTINGS, data=data), corpus)
    music = next(item for item in found if not item["known"].all())
    assert list(np.flatnonzero(~(music["known"] | music["empty"]))) == [70, 71, 72, 73]
    noisy = replace(data, chains={"music": Chain(ends=True, floor=1.0)})
    found += items(replace(SETTINGS, data=noisy), corpus)
    for item in found:
        assert (item["statistics"][:, 0, item["empty"]] < -10.99).all()


def test_a_slower_clip_knows_less(corpus):
    data = replace(SETTINGS.data, speeds=(0.5, 0.5), own_speed=0.0)
    assert {int(i["known"].sum()) for i in items(replace(SETTINGS, data=data), corpus)} <= {
        int(0.955 * 12000 / 300),
        int(0.955 * 11025 / 300),
    }


def test_tones_are_drawn_too(corpus):
    data = replace(SETTINGS.data, tones=1.0)
    for item in items(replace(SETTINGS, data=data), corpus, 3):
        assert item["known"].all()
        assert item["statistics"][:, 4].max() > 0.9


def test_a_mixture_knows_what_both_know(corpus):
    chains = {kind: Chain(mixed=1.0) for kind in ("speech", "music")}
    data = replace(SETTINGS.data, chains=chains)
    alone = items(SETTINGS, corpus)
    mixed = items(replace(SETTINGS, data=data), corpus)
    known = [sum(item["known"].all() for item in some) for some in (alone, mixed)]
    assert 0 < known[1] < known[0]


def test_what_was_heard_before_a_clip_counts(corpus):
    data = replace(SETTINGS.data, before=500)
    heard = [item["heard"] for item in items(replace(SETTINGS, data=data), corpus)]
    assert {len(one) for one in heard} == {40}
    assert min(one[0] for one in heard) < 0.01
    assert max(one[0] for one in heard) > 0.5


def test_what_is_a_voice_is_told(corpus):
    for item in items(SETTINGS, corpus):
        assert item["voice"] == item["known"].all()


EDGE = torch.full((1, 10), 12)


def batch_of(**changed):
    """One steady item of music whose first missing band is 12 and that is known up to 20."""
    level = torch.full((1, 10, 5, 80), -6.0)
    level[:, :, 4] = 0.25
    return {
        "statistics": level,
        "heard": torch.ones(1, 10),
        "edge": torch.tensor([12]),
        "known": torch.arange(80)[None] < 20,
        "empty": torch.zeros(1, 80, dtype=torch.bool),
        "voice": torch.tensor([False]),
        **changed,
    }


def losses_of(recipe, shift, batch):
    """What it costs if the expert for music is `shift` too loud."""
    network = recipe.networks["generator"]
    network.music.out.bias.data[:] = 0
    heard = batch["statistics"], batch["heard"], EDGE
    said = network.music(*(part[:1] for part in heard))[0, 0].detach()
    network.music.out.bias.data[:] = -6.0 + shift - said
    return recipe.losses(Turn("generator", 0), batch).losses


EXACT = replace(SETTINGS, loss=LossSettings(randomness=0.0, gate=0.0))


def test_the_distance_is_that_of_the_missing_bands_that_are_known(corpus):
    recipe = recipe_of(EXACT, corpus)
    losses = [losses_of(recipe, shift, batch_of())[TOTAL].item() for shift in (-0.5, 0.0, 0.25)]
    assert losses == pytest.approx([0.5, 0.0, 0.25], abs=1e-4)
    wrong_elsewhere = batch_of()
    wrong_elsewhere["statistics"][..., 20:] = -3.0
    assert losses_of(recipe, 0.25, wrong_elsewhere)[TOTAL].item() == pytest.approx(0.25, abs=1e-4)


def test_each_item_is_learned_by_its_own_expert(corpus):
    recipe, two = recipe_of(EXACT, corpus), batch_of()
    two = {name: torch.cat([part, part]) for name, part in two.items()}
    two["voice"] = torch.tensor([True, False])
    heard = batch_of()["statistics"], batch_of()["heard"], EDGE
    network = recipe.networks["generator"]
    network.voice.out.bias.data[:] = -6.0 - network.voice(*heard)[0, 0].detach()
    assert losses_of(recipe, 0.5, two)[TOTAL].item() == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize("voices", [(True, True), (False, False)])
def test_an_expert_without_items_has_gradients_of_zero(corpus, voices):
    """Processes of one run average what they have: all must have the same."""
    recipe = recipe_of(SETTINGS, corpus)
    two = {name: torch.cat([part, part]) for name, part in batch_of().items()}
    recipe.losses(Turn("generator", 0), two | {"voice": torch.tensor(voices)}).losses[
        TOTAL
    ].backward()
    network = recipe.networks["generator"]
    idle = network.music if voices[0] else network.voice
    assert all(not p.grad.any() for p in idle.parameters())
    assert all(p.grad is not None for p in network.parameters())


def test_the_gate_is_asked_what_was_heard(corpus):
    recipe = recipe_of(SETTINGS, corpus)
    network = recipe.networks["generator"]
    network.gate.out.bias.data[:] = 2.0
    found = [
        losses_of(recipe, 0.0, batch_of(voice=torch.tensor([voice])))["gate"].item()
        for voice in (True, False)
    ]
    sure, unsure = np.log1p(np.exp(-2)), np.log1p(np.exp(2))
    expected = [0.98 * sure + 0.02 * unsure, 0.02 * sure + 0.98 * unsure]
    assert found == pytest.approx(expected, abs=1e-5)


def test_training_learns_the_level_of_noise_and_what_it_exports_is_heard(corpus, tmp_path):
    recipe = recipe_of(SETTINGS, corpus)
    with torch.inference_mode():
        before = recipe.validate(recipe.networks)["lsd"]
    train(recipe, tmp_path, SETTINGS.loop)
    with torch.inference_mode():
        after = recipe.validate(recipe.networks)
    assert after.keys() == {"lsd_speech16000", "lsd_music16000", "lsd"}
    assert after["lsd"] < 0.9 * before
    restorer = load("upsample", str(tmp_path / "last.safetensors"), place("cpu"), rate=48000)
    y = feed(restorer.stage(mono(16000), UpsampleRequest(48000)), noise(1, 16000), [16000])
    assert y.shape == (1, 48000)
    assert np.isfinite(y).all()


def test_the_preset_that_ships_begins_from_fresh_weights(corpus):
    found = plan("envelope", None, ())
    assert found.settings.name == "envelope-48k"
    recipe = found.recipe(corpus, CPU)
    network = recipe.networks["generator"]
    for part in (network.voice, network.music, network.gate):
        assert not part.out.weight.any()
