import pytest
import torch

from audiofix.metrics.lsd import lsd, lsd_band, lsd_published

X = torch.randn(2, 9000, generator=torch.Generator().manual_seed(0))


def test_a_gain_moves_every_bin_alike():
    assert lsd(X, X).item() == 0
    assert lsd(10 * X, X).item() == pytest.approx(2, abs=1e-4)
    assert lsd_band(10 * X, X, 48000, 4000, 8000).item() == pytest.approx(2, abs=1e-4)


def test_bands_split_the_published_figure():
    y = X + 0.5 * torch.randn(2, 9000, generator=torch.Generator().manual_seed(1))
    found = lsd_published(y, X, torch.tensor([171, 171]))
    low, high = (lsd_band(y, X, 2048, a, b) for a, b in ((0, 171), (171, 1e9)))
    assert found["lsd_lf"].item() == pytest.approx(low.item(), rel=1e-5)
    assert found["lsd_hf"].item() == pytest.approx(high.item(), rel=1e-5)
