import math

import pytest
import torch
from audiofix.trainers.losses import adversarial as losses

ONE, HALF = [torch.ones(2, 3)] * 2, [torch.full((2, 3), 0.5)] * 2


@pytest.mark.parametrize(
    ("loss", "arguments", "expected"),
    [
        (losses.least_squares_discriminator, (ONE, HALF), 0.5),
        (losses.least_squares_discriminator, (HALF, ONE), 2.5),
        (losses.least_squares_generator, (HALF,), 0.5),
        (losses.wasserstein_discriminator, (ONE, HALF), -1.0),
        (losses.wasserstein_generator, (HALF,), -1.0),
        (losses.feature_matching, ([ONE], [HALF]), 0.5),
    ],
)
def test_values(loss, arguments, expected):
    assert loss(*arguments).item() == pytest.approx(expected)


def test_logistic_losses_of_undecided_scores_are_logarithms_of_two():
    undecided = torch.zeros(3, 1)
    assert losses.logistic_generator(undecided).item() == pytest.approx(math.log(2))
    assert losses.logistic_discriminator(undecided, undecided).item() == pytest.approx(
        2 * math.log(2)
    )
    sure = torch.full((3, 1), 20.0)
    assert losses.logistic_discriminator(sure, -sure).item() == pytest.approx(0, abs=1e-6)
    assert losses.logistic_generator(-sure).item() == pytest.approx(20, abs=1e-6)
