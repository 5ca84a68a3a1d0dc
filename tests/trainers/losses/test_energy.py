import pytest
import torch
from audiofix.trainers.losses.energy import energy_distance


def test_pairs_by_hand():
    first, second = torch.tensor([[[0.0], [2.0]]]), torch.tensor([[[4.0], [8.0]]])
    # between: (4 + 8 + 2 + 6) / 4 = 5; within: 2 and 4
    assert energy_distance(first, second).item() == pytest.approx(2 * 5 - 2 - 4, abs=0.01)
    assert energy_distance(first.expand(3, -1, -1), second.expand(3, -1, -1)) == pytest.approx(
        4, abs=0.01
    )


def test_it_is_nothing_on_average_for_one_distribution_and_grows_with_distance():
    torch.manual_seed(0)
    first, second = torch.randn(40, 50, 3), torch.randn(40, 50, 3)
    assert abs(energy_distance(first, second)) < 0.01
    assert energy_distance(first, second * 2) > 0.1
    assert energy_distance(first, second + 2) > 1


def test_the_gradient_is_finite_where_vectors_coincide():
    first = torch.zeros(1, 4, 2, requires_grad=True)
    energy_distance(first, torch.zeros(1, 4, 2)).backward()
    assert torch.isfinite(first.grad).all()
