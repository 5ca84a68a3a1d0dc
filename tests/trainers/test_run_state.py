from dataclasses import replace

import numpy as np
import pytest
import torch
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.run_state import STATE_FILE, fresh_state
from torch import nn
from toy import ToyRecipe, weights

from audiofix.errors import CheckpointError

SETTINGS = LoopSettings(precision="fp16")


def fresh(settings=SETTINGS, networks=None):
    recipe = ToyRecipe()
    recipe.networks = networks or recipe.networks
    return fresh_state(recipe, settings)


def saved(folder):
    state = fresh()
    for parameter in state.networks["generator"].parameters():
        parameter.grad = torch.ones_like(parameter)
    state.optimisers["generator"].step()
    state.recipe.seen = 0.25
    state.step, state.stale, state.best = 7, 2, [(0.5, "best-3.safetensors")]
    state.save(folder)
    return state


def test_what_is_saved_comes_back(tmp_path):
    before, after = saved(tmp_path), fresh()
    after.load(tmp_path)
    assert torch.equal(weights(after.networks), weights(before.networks))
    assert torch.equal(weights(after.ema), weights(before.ema))
    assert (after.step, after.stale, after.best) == (7, 2, [(0.5, "best-3.safetensors")])
    assert after.recipe.seen == 0.25
    first, second = (s.optimisers["generator"].state_dict()["state"] for s in (before, after))
    assert first.keys() == second.keys() and first
    assert all(torch.equal(first[k]["exp_avg_sq"], second[k]["exp_avg_sq"]) for k in first)
    assert after.scaler.state_dict() == before.scaler.state_dict()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x80\x02cos\nsystem\n."])
def test_damage_is_told_in_one_line(tmp_path, content):
    (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last.pt: not a state of this run \(.+\)") as caught:
        fresh().load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "other",
    [
        lambda: fresh(networks={"generator": nn.Linear(3, 3)}),
        lambda: fresh(networks={"other": nn.Linear(8, 1)}),
    ],
)
def test_the_state_of_other_networks_is_refused(tmp_path, other):
    saved(tmp_path)
    with pytest.raises(CheckpointError, match="the run's own settings"):
        other().load(tmp_path)


def test_a_state_of_another_precision_is_refused(tmp_path):
    fresh(replace(SETTINGS, precision="fp32")).save(tmp_path)
    with pytest.raises(CheckpointError, match="not a state of this run"):
        fresh().load(tmp_path)


def test_one_flipped_byte_is_noticed_or_changes_nothing(tmp_path):
    expected = weights(saved(tmp_path).networks)
    path = tmp_path / STATE_FILE
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    noticed = 0
    for place in generator.integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << generator.integers(8)
        path.write_bytes(damaged)
        state = fresh()
        try:
            state.load(tmp_path)
        except CheckpointError:
            noticed += 1
        else:
            assert torch.equal(weights(state.networks), expected)
    assert noticed > 150


def test_a_flipped_weight_is_told(tmp_path):
    state = saved(tmp_path)
    path, wanted = tmp_path / STATE_FILE, state.networks["generator"][0].weight.detach().numpy()
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(wanted.tobytes()) + 5] ^= 64
    path.write_bytes(damaged)
    with pytest.raises(CheckpointError, match=r"last.pt: not a state of this run \(the sum of"):
        fresh().load(tmp_path)
