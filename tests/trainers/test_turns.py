from dataclasses import replace

import pytest
import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.run_state import fresh_state
from audiofix.trainers.turns import Turns
from toy import ToyRecipe, weights

from audiofix.errors import SettingsError

CPU = torch.device("cpu")


def settings_of(rate=0.1, **loop):
    one = OptimiserSettings(rate=rate, warmup_steps=2, schedule="constant")
    return LoopSettings(optimisers={"generator": one, "discriminator": one}, **loop)


SETTINGS = settings_of(steps=4, batch=2)


def taken(recipe, settings, steps=1):
    state = fresh_state(recipe, settings)
    turns = Turns(recipe, settings, World())
    with Batches(recipe.item, settings, World(), CPU) as batches:
        found = [turns.step(state, batches.parts(step)) for step in range(steps)]
    return state, found


def test_the_learning_rate_warms_up():
    _, found = taken(ToyRecipe(), SETTINGS, 3)
    assert [line["generator.learning_rate"] for line in found] == pytest.approx([0.05, 0.1, 0.1])


def test_the_first_step_of_adamw_moves_each_weight_by_the_learning_rate():
    before = {turn: weights({turn: net}) for turn, net in ToyRecipe().networks.items()}
    state, _ = taken(ToyRecipe(), replace(SETTINGS, max_grad_norm=0.0))
    for turn, network in state.networks.items():
        moved = (weights({turn: network}) - before[turn]).abs()
        # The discriminator's bias cancels in its loss: its gradient is 0.
        assert torch.allclose(moved[:8], torch.full((8,), 0.05), rtol=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains_in_float32_weights(precision):
    settings = settings_of(0.03, steps=60, batch=8, precision=precision)
    state, found = taken(ToyRecipe(), settings, 60)
    assert found[-1]["generator.error"] < 0.3 * found[0]["generator.error"]
    assert {p.dtype for n in state.networks.values() for p in n.parameters()} == {torch.float32}


def test_bf16_is_used():
    single, half = (
        taken(ToyRecipe(), replace(SETTINGS, precision=precision))[1][0]["generator.error"]
        for precision in ("fp32", "bf16")
    )
    assert single != half
    assert single == pytest.approx(half, rel=0.02)


def test_fp16_leaves_out_what_overflows_and_lowers_the_scale_once_a_step():
    settings = replace(SETTINGS, precision="fp16")
    before = weights({"generator": ToyRecipe().networks["generator"]})
    state, found = taken(ToyRecipe(nan_at=1), settings)
    assert torch.equal(weights({"generator": state.networks["generator"]}), before)
    assert state.scaler.get_scale() == 65536 / 2
    assert found[0]["generator.total"] != found[0]["generator.total"]


def test_the_norm_is_limited():
    recipe = ToyRecipe()
    _, found = taken(recipe, replace(SETTINGS, max_grad_norm=1e-3))
    assert found[0]["generator.grad_norm"] > 1e-3
    gradients = [p.grad.flatten() for p in recipe.networks["generator"].parameters()]
    assert torch.cat(gradients).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_what_is_not_finite_is_refused():
    with pytest.raises(SettingsError, match="step 1: generator.total is nan"):
        taken(ToyRecipe(nan_at=1), SETTINGS)


def test_the_average_moves_every_so_many_steps():
    settings = replace(SETTINGS, ema_every=2, ema_decay=0.0)
    state, _ = taken(ToyRecipe(), settings, 3)
    second, _ = taken(ToyRecipe(), settings, 2)
    assert torch.equal(weights(state.ema), weights(second.networks))
    assert not torch.equal(weights(state.ema), weights(state.networks))
