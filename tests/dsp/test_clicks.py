import numpy as np

from audiofix.dsp.clicks import find_clicks

RATE = 44100


def smooth(samples=8000):
    t = np.arange(samples) / RATE
    noise = np.random.default_rng(0).standard_normal(samples)
    return 0.3 * np.sin(2 * np.pi * 500 * t) + 0.002 * noise


def test_a_click_is_found_to_the_sample_and_two_are_two():
    x = smooth()
    x[3000:3004] -= 0.4
    x[5000] += 0.4
    assert find_clicks(x, RATE) == [(3000, 3004), (5000, 5001)]


def test_what_goes_on_is_no_click():
    x = smooth()
    x[3000:3400] += 0.3 * np.random.default_rng(1).standard_normal(400)
    assert find_clicks(x, RATE) == []


def test_small_clicks_silence_and_little_sound():
    x = smooth()
    x[3000] += 0.01
    assert find_clicks(x, RATE) == []
    assert find_clicks(np.zeros(8000), RATE) == []
    assert find_clicks(smooth(50), RATE) == []
