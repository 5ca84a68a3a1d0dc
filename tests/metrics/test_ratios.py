"""Ratios against closed forms."""

import numpy as np
import pytest
from stages import noise

from audiofix.metrics.ratios import RatioMeter


def measured(estimate, reference, cut=None):
    meter = RatioMeter(reference.shape[0])
    cut = cut or reference.shape[1]
    for start in range(0, reference.shape[1], cut):
        meter.push(estimate[:, start : start + cut], reference[:, start : start + cut])
    return meter.values()


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.1, 3.0])
def test_a_gain_is_an_error_of_its_own_size_and_none_to_si_sdr(gain):
    x = noise(2, 5000)
    found = measured(np.float32(gain) * x, x)
    assert found["snr"] == pytest.approx(-20 * np.log10(abs(gain - 1)), abs=1e-3)
    assert found["si-sdr"] > 120


@pytest.mark.parametrize("size", [0.01, 1.0, 5.0])
def test_an_orthogonal_error_counts_the_same_in_both(size):
    time = np.arange(4800) / 48000
    x = np.sin(2 * np.pi * 1000 * time)[None]
    error = size * np.cos(2 * np.pi * 1000 * time)[None]
    found = measured((x + error).astype(np.float32), x.astype(np.float32))
    assert found["snr"] == pytest.approx(-20 * np.log10(size), abs=1e-3)
    assert found["si-sdr"] == pytest.approx(-20 * np.log10(size), abs=1e-3)


def test_si_sdr_is_the_definition():
    x, y = noise(1, 900, seed=1).astype(float), noise(1, 900, seed=2).astype(float)
    y += 0.3 * x
    scaled = (y * x).sum() / (x * x).sum() * x
    expected = 10 * np.log10((scaled**2).sum() / ((y - scaled) ** 2).sum())
    assert measured(y, x)["si-sdr"] == pytest.approx(expected, rel=1e-9)


def test_an_exact_copy_is_bounded_by_the_smallest_error():
    x = noise(1, 1000)
    expected = 20 * np.log10(np.linalg.norm(x.astype(float)) / 1e-8)
    assert measured(x, x) == pytest.approx({"snr": expected, "si-sdr": expected})


def test_cuts_change_nothing_that_counts():
    x, y = noise(2, 3000, seed=3), noise(2, 3000, seed=4)
    assert measured(y, x, cut=7) == pytest.approx(measured(y, x), rel=1e-12)


def test_channels_are_averaged_in_decibels():
    x, y = noise(2, 1000, seed=5), noise(2, 1000, seed=6)
    single = [measured(y[i : i + 1], x[i : i + 1])["snr"] for i in range(2)]
    assert measured(y, x)["snr"] == pytest.approx(np.mean(single))


def test_silence_has_no_ratio():
    x, zero = noise(1, 100), np.zeros((1, 100), np.float32)
    assert np.isnan(list(measured(x, zero).values())).all()
    assert np.isnan(measured(zero, x)["si-sdr"])
    assert measured(zero, x)["snr"] == pytest.approx(0)
