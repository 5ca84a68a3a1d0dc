import pytest
import torch

from audiofix.metrics.snr import snr


def test_a_tenth_of_error_is_twenty_decibels():
    x = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
    assert snr(1.1 * x, x).item() == pytest.approx(20, abs=1e-3)
    assert snr(x, x).item() > 150
