import pytest
import torch
from stages import noise

from audiofix.metrics.lsd import lsd
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

X = torch.randn(2, 9000, generator=torch.Generator().manual_seed(0))


def test_a_gain_moves_every_bin_alike():
    assert lsd(X, X).item() == 0
    assert lsd(10 * X, X).item() == pytest.approx(2, abs=1e-4)


def test_only_the_known_part_of_the_band_is_measured():
    low = torch.cos(torch.arange(9000) * 0.3)[None].repeat(2, 1)  # 0.3 of pi: bin 98 of 1025
    high = X * 1e-3
    whole = lsd(low + 10 * high, low + high, torch.tensor([1.0, 1.0]))
    assert whole == lsd(low + 10 * high, low + high)
    # The first item's difference is all above its known part.
    spectra = torch.fft.rfft(high)
    spectra[:, : spectra.shape[1] // 2] = 0
    high = torch.fft.irfft(spectra, n=9000)
    first, second = (
        lsd((low + 10 * high)[:1], (low + high)[:1], torch.tensor([known])) for known in (0.25, 1.0)
    )
    assert first < 0.05 and second > 1
    both = lsd(low + 10 * high, low + high, torch.tensor([0.25, 1.0]))
    ends = lsd((low + 10 * high)[1:], (low + high)[1:])
    assert both.item() == pytest.approx((first + ends).item() / 2)


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
