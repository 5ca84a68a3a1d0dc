import numpy as np
import pytest
from audiofix.trainers.data.coloration import Noise, Tilt, tones, with_noise

RATE = 48000


def spectrum_db(x):
    return 10 * np.log10(np.abs(np.fft.rfft(x)) ** 2 / x.size + 1e-20)


def level_at(x, hertz):
    spectrum = spectrum_db(x)
    place = hertz * x.size // RATE
    return 10 * np.log10((10 ** (spectrum[place - 200 : place + 200] / 10)).mean())


def test_a_tilt_is_per_octave_and_only_between_its_ends():
    gains = Tilt(2.0, 2000, 8000).gain_db([500, 1900, 4000, 8000, 20000])
    assert gains == pytest.approx([0, 0, 2, 4, 4])


def test_noise_has_its_slope_and_level():
    silence = np.zeros(RATE, np.float32)
    noise = with_noise(silence, RATE, Noise(-20, 1.0), np.random.default_rng(1))
    assert level_at(noise, 20000) == pytest.approx(-20, abs=0.7)
    assert level_at(noise, 5000) == pytest.approx(-32, abs=0.7)
    flat = with_noise(silence, RATE, Noise(0, 0.0), np.random.default_rng(1))
    assert flat.std() == pytest.approx(1, abs=0.02)


def test_tones_are_a_few_lines():
    x = tones(RATE, RATE, np.random.default_rng(3))
    power = np.sort(np.abs(np.fft.rfft(x)) ** 2)
    assert np.isfinite(x).all()
    assert power[-6000:].sum() > 0.999 * power.sum()
    assert np.median(power) < 1e-6 * power[-1]
