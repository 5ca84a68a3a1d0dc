import pytest
import torch
from stages import noise

from audiofix.metrics.lsd import lsd
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

X = torch.randn(2, 9000, generator=torch.Generator().manual_seed(0))


def test_a_gain_moves_every_bin_alike():
    assert lsd(X, X).item() == 0
    assert lsd(10 * X, X).item() == pytest.approx(2, abs=1e-4)


def test_silence_that_is_met_exactly_has_no_gradient():
    x = torch.zeros(1, 9000, requires_grad=True)
    lsd(x, torch.zeros(1, 9000)).backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


def test_it_is_what_the_meter_measures():
    x, y = noise(2, 20_001, seed=1), noise(2, 20_001, seed=2)
    meter = SpectralMeter(DEFINITIONS["standard"], 48000, 2)
    meter.push(y, x)
    trained = lsd(torch.from_numpy(y).double(), torch.from_numpy(x).double()).item()
    assert meter.values()["lsd"] == pytest.approx(trained, rel=1e-9)
