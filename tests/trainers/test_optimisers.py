import pytest
import torch
from audiofix.trainers.optimisers import OptimiserSettings, build_optimiser, follow_schedule
from torch import nn

from audiofix.errors import SettingsError


def stepped(settings, gradient=1.0):
    """Return how far each weight of two layers goes in the first step, by layer."""
    network = nn.ModuleDict({"mapping": nn.Linear(1, 1), "synthesis": nn.Linear(1, 1)})
    for parameter in network.parameters():
        nn.init.constant_(parameter, 1.0)
        parameter.grad = torch.full_like(parameter, gradient)
    optimiser = build_optimiser(network, settings)
    rate = follow_schedule(optimiser, settings, 0, 10)
    optimiser.step()
    moved = {name: 1 - layer.weight.item() for name, layer in network.items()}
    return rate, moved


@pytest.mark.parametrize("name", ["adam", "adamw", "radam"])
def test_the_first_step_is_the_learning_rate(name):
    rate, moved = stepped(OptimiserSettings(name=name, rate=0.1, schedule="constant"))
    # RAdam does not trust the variance of few steps: it takes the gradient itself.
    assert rate == 0.1
    assert moved == pytest.approx({"mapping": 0.1, "synthesis": 0.1}, rel=1e-4)


def test_radam_takes_the_gradient_itself_at_first():
    _, moved = stepped(OptimiserSettings(name="radam", rate=0.1), gradient=3.0)
    assert moved["mapping"] == pytest.approx(0.3, rel=1e-4)


def test_factors_belong_to_the_longest_beginning_of_a_name():
    factors = {"map": 0.5, "mapping.w": 0.01}
    rate, moved = stepped(OptimiserSettings(rate=0.1, warmup_steps=4, factors=factors))
    assert rate == pytest.approx(0.025)
    assert moved == pytest.approx({"mapping": 0.00025, "synthesis": 0.025}, rel=1e-3)


def test_weight_decay_is_decoupled():
    _, moved = stepped(OptimiserSettings(rate=0.1, weight_decay=0.5), gradient=0.0)
    assert moved["mapping"] == pytest.approx(0.05)


def test_a_resumed_run_follows_its_settings():
    settings = OptimiserSettings(rate=0.1, betas=(0.5, 0.9))
    optimiser = build_optimiser(nn.Linear(1, 1), settings)
    follow_schedule(optimiser, OptimiserSettings(rate=0.2, betas=(0.0, 0.99)), 0, 10)
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"]) == (0.2, (0.0, 0.99))


@pytest.mark.parametrize("betas", [(0.9,), (0.9, 1.0), (-0.1, 0.9)])
def test_betas_are_two_below_one(betas):
    with pytest.raises(SettingsError, match="betas: .* two numbers, 0 to below 1"):
        OptimiserSettings(betas=betas)


def test_a_factor_for_nothing_is_refused():
    with pytest.raises(SettingsError, match="factors: W.: begins no parameter's name"):
        build_optimiser(nn.Linear(1, 1), OptimiserSettings(factors={"W.": 0.01}))
