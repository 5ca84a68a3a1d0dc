import numpy as np
import pytest

from audiofix.trainers.data.degrade import LOW_PASSES, band_limited, low_passed
from stages import noise


def share_above(x, rate, hertz):
    power = np.abs(np.fft.rfft(x)) ** 2
    return power[..., np.fft.rfftfreq(x.shape[-1], 1 / rate) > hertz].sum() / power.sum()


@pytest.mark.parametrize("low", [8000, 11025, 24000, 48000])
def test_keeps_the_length_and_takes_the_high_band(low):
    x = noise(1, 10_007)
    y = band_limited(x, 48000, low)
    assert y.shape == x.shape
    assert share_above(y, 48000, 0.6 * low) < 1e-3


@pytest.mark.parametrize(("kind", "order"), LOW_PASSES)
def test_every_filter_passes_below_and_stops_above(kind, order):
    y = low_passed(noise(1, 48000), 48000, 6000, kind, order)
    assert share_above(y, 48000, 18000) < 0.02
    assert share_above(y, 48000, 2000) > 0.3
