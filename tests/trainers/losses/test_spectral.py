import math

import pytest
import torch

from audiofix.trainers.losses.spectral import spectral_losses


def test_a_gain_gives_what_the_formulas_say():
    y = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))
    convergence, distance = spectral_losses(0.5 * y, y)
    assert convergence.item() == pytest.approx(0.5, rel=1e-4)
    assert distance.item() == pytest.approx(math.log(2), rel=1e-3)
    assert [part.item() for part in spectral_losses(y, y)] == [0, 0]
