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
    model=replace(CONFIG, extrapolates=False),
    data=DataSettings(frames=40, tones=0.0, rates=(16000,), validation_rates=(16000,)),
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
    assert not music["open"].any()


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


EDGE = torch.full((1, 10), 12)


def batch_of(**changed):
    """One steady item whose first missing band is 12 and that is known up to 20."""
    level = torch.full((1, 10, 5, 80), -6.0)
    level[:, :, 4] = 0.25
    return {
        "statistics": level,
        "heard": torch.ones(1, 10),
        "edges": torch.tensor([[12]]),
        "known": torch.arange(80)[None] < 20,
        "empty": torch.zeros(1, 80, dtype=torch.bool),
        "open": torch.zeros(1, 80, dtype=torch.bool),
        "overshoot": torch.tensor([4.0]),
        "lowered": torch.zeros(1, 1, 10, 80),
        **changed,
    }


def loss_of(recipe, shift, batch):
    """What it costs to be `shift` too loud: an untrained network says -1 - 0.03 per band."""
    network = recipe.networks["generator"]
    network.out.bias.data[:] = 1 + 0.03 * (torch.arange(80) - 12).clamp(min=0) + shift
    return recipe.losses(Turn("generator", 0), batch).losses[TOTAL].item()


def test_too_much_costs_more_than_too_little_below_8_khz(corpus):
    recipe = recipe_of(replace(SETTINGS, loss=LossSettings(randomness=0.0)), corpus)
    losses = [loss_of(recipe, shift, batch_of()) for shift in (-0.5, 0.5)]
    assert losses == pytest.approx([0.5, 1.0], abs=1e-4)


def test_caution_wants_less_than_there_was(corpus):
    recipe = recipe_of(replace(SETTINGS, loss=LossSettings(randomness=0.0)), corpus)
    lowered = batch_of(lowered=torch.full((1, 1, 10, 80), 0.5))
    losses = [loss_of(recipe, shift, lowered) for shift in (-0.5, 0.0)]
    assert losses == pytest.approx([0.0, 1.0], abs=1e-4)


def extrapolating(loss, corpus):
    model = replace(CONFIG, extrapolates=True)
    return recipe_of(replace(SETTINGS, model=model, loss=loss), corpus)


def test_where_nobody_knows_the_extrapolation_is_expected(corpus):
    nothing = torch.zeros(1, 80, dtype=torch.bool)
    batch = batch_of(known=nothing, open=torch.arange(80)[None] >= 60)
    batch["statistics"][..., 60:] = -11.0
    recipe = extrapolating(LossSettings(randomness=0.0, open=1.0), corpus)
    recipe.networks["generator"].out.bias.data[:] = 0.0
    turn = Turn("generator", 0)
    assert recipe.losses(turn, batch).losses[TOTAL].item() == pytest.approx(0, abs=1e-5)
    recipe.networks["generator"].out.bias.data[:] = -0.5
    assert recipe.losses(turn, batch).losses[TOTAL].item() == pytest.approx(0.5, abs=1e-4)


def test_leaving_the_extrapolation_costs_what_the_prior_weighs(corpus):
    losses = []
    for prior in (0.0, 0.44):
        recipe = extrapolating(LossSettings(randomness=0.0, prior=prior), corpus)
        network = recipe.networks["generator"]
        truth = network(*(batch_of()[name] for name in ("statistics", "heard")), EDGE)[0, 0]
        network.out.bias.data[:] = -6.5 - truth.detach()
        losses.append(recipe.losses(Turn("generator", 0), batch_of()).losses[TOTAL].item())
    left = (-6.5 - truth[12:20]).square().mean().item()
    assert losses[0] == pytest.approx(0.5, abs=1e-4)
    assert losses[1] == pytest.approx((0.25 + 0.44 * left) ** 0.5, abs=1e-3)


def test_only_voices_are_open_above_what_is_known(corpus):
    data = replace(
        SETTINGS.data, chains={"music": Chain(ends=True)}, speeds=(0.8, 0.8), own_speed=0
    )
    for item in items(replace(SETTINGS, data=data), corpus):
        voice = int(item["known"].sum()) == int(0.955 * 24000 * 0.8 / 300)
        assert item["open"].any() == voice
        assert not (item["open"] & item["known"]).any()


def test_active_frames_are_lowered_where_caution_is_asked_for(corpus):
    data = replace(SETTINGS.data, rates=(8000,), chains={"speech": Chain(caution=1.0)})
    found = items(replace(SETTINGS, data=data), corpus)
    assert all((item["lowered"][:, :, 32:] == 0).all() for item in found)
    assert all((item["lowered"] >= 0).all() and item["lowered"].max() <= 1 for item in found)
    assert any(item["lowered"].max() > 0 for item in found)


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
    assert not recipe.networks["generator"].out.weight.any()
