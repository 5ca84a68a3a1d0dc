import numpy as np
import pytest
from audiofix.trainers.heldout import Figures, brought_down, compare, mean
from stages import noise


def test_a_perfect_estimate_is_perfect_and_a_gain_is_not():
    x = noise(2, 20_000)
    figures = compare(x, x, 48000, 16000)
    assert (figures.lsd, figures.lsd_low, figures.lsd_high) == (0, 0, 0)
    louder = compare(10 * x, x[:, :-5], 48000, 16000)
    assert louder.lsd == pytest.approx(2, abs=1e-3)
    assert louder.snr == pytest.approx(-20 * np.log10(9), abs=1e-3)


def test_what_comes_down_is_on_the_grid_of_16_bits():
    small = brought_down(noise(1, 4800), 48000, 8000)
    assert small.shape == (1, 800)
    assert np.array_equal(small * 2**15, np.rint(small * 2**15))


def test_means():
    found = mean([Figures(1, 2, 3, 4), Figures(3, 2, 1, 0)])
    assert found == Figures(2, 2, 2, 2)
