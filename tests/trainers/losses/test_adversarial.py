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
