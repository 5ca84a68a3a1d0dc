import pytest
import torch
from audiofix.trainers.recipes.asgan.reconstruction import slope_distance


def test_slopes_are_compared_in_time_and_in_frequency():
    real = torch.zeros(1, 4, 3)
    assert slope_distance(real + 5, real).item() == 0
    rising = real + 2.0 * torch.arange(4)[:, None]
    assert slope_distance(rising, real).item() == pytest.approx(2)
    tilted = rising + torch.arange(3)
    assert slope_distance(tilted, real).item() == pytest.approx(3)
