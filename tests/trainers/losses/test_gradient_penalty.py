import pytest
import torch
from audiofix.trainers.losses.gradient_penalty import gradient_penalty, r1_penalty


@pytest.mark.parametrize(("slope", "expected"), [(1.0, 0.0), (3.0, 4.0), (0.5, 0.25)])
def test_a_linear_critic_pays_for_its_slope(slope, expected):
    direction = torch.zeros(1, 1, 8)
    direction[0, 0, 2] = slope  # the gradient's norm is the slope
    real, made = torch.randn(2, 3, 1, 8, generator=torch.Generator().manual_seed(0))

    def critic(wave):
        return [(wave * direction).sum(dim=(1, 2)), 2 * wave[:, 0, :1] / 2]

    penalty = gradient_penalty(critic, real, made)
    assert penalty.item() == pytest.approx(expected / 2, abs=1e-6)  # the second critic pays nothing


def test_the_critic_learns_from_it():
    weight = torch.full((1, 1, 8), 2.0, requires_grad=True)
    real, made = torch.zeros(2, 1, 8), torch.ones(2, 1, 8)
    gradient_penalty(lambda wave: [(wave * weight).sum(dim=2)], real, made).backward()
    norm = 2 * 8**0.5
    expected = 2 * (norm - 1) * 2 / norm  # d/dw (|w| - 1)^2
    assert torch.allclose(weight.grad, torch.full_like(weight, expected))


def test_r1_is_the_squared_slope_summed_over_the_batch():
    real = torch.ones(3, 2, 4, requires_grad=True)
    scores = (real * 2).sum((1, 2))[:, None]
    assert r1_penalty(scores, real).item() == 3 * 8 * 4
