import numpy as np
import pytest
from stages import noise

from audiofix.audio.opus import RATES, through_opus


def tone(rate, channels=1, seconds=2.0):
    time = np.arange(round(seconds * rate)) / rate
    sound = np.sin(2 * np.pi * 300 * time) * (0.2 + 0.1 * np.sin(2 * np.pi * 3 * time))
    return np.tile(sound, (channels, 1)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_it_comes_back_in_time_and_in_length(rate, channels):
    x = tone(rate, channels)
    y, _ = through_opus(x, rate, 32_000 * channels)
    assert y.shape == x.shape and y.dtype == np.float32 and y.flags.c_contiguous
    middle = slice(rate // 2, -rate // 2)
    error = y[:, middle] - x[:, middle]
    assert np.mean(error**2) < 0.01 * np.mean(x[:, middle] ** 2)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("wanted", [12_000, 24_000, 64_000])
def test_the_bit_rate_is_about_what_was_asked_for(wanted, channels):
    _, taken = through_opus(noise(channels, 48_000), 16_000, wanted * channels)
    assert taken == pytest.approx(wanted * channels, rel=0.25)


def test_nothing_is_below_its_lowest_bit_rate():
    taken = [through_opus(noise(1, 48_000), 16_000, bits)[1] for bits in (500, 6000)]
    assert taken[0] == taken[1] and 4000 < taken[0] < 9000


def test_nothing_comes_back_of_nothing():
    y, taken = through_opus(np.empty((1, 0), np.float32), 48_000, 6000)
    assert y.shape == (1, 0) and taken == 0
