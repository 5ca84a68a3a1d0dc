import numpy as np
import pytest
from scipy.signal import lfilter

from audiofix.dsp.autoregression import GapFiller, burg, extrapolate, interpolate

RATE = 44100


def drawn(seed=0):
    return np.random.default_rng(seed)


def tones(samples, hertz=(440.0, 1230.0, 3011.0)):
    t = np.arange(samples) / RATE
    return sum(np.sin(2 * np.pi * f * t + f) for f in hertz) / 6


def test_burg_finds_the_filter_that_made_a_sound():
    true = np.array([1.0, -1.6, 0.81])
    x = lfilter([1.0], true, drawn().standard_normal(20000) * 0.1)
    found, variance = burg([x[:8000], x[9000:]], 2)
    assert np.allclose(found, true, atol=0.02)
    assert variance == pytest.approx(0.01, rel=0.05)


def test_burg_of_silence_and_of_little():
    assert burg([np.zeros(100)], 5)[0].tolist() == [1.0]
    found, variance = burg([np.ones(3)], 8)
    assert np.isfinite(found).all() and variance >= 0


def test_interpolation_makes_the_prediction_error_least():
    x = lfilter([1.0], [1.0, -1.8, 0.9], drawn().standard_normal(3000))
    error_filter, _ = burg([x], 2)
    left, right = x[:1000], x[1040:]
    made = interpolate(left, 40, right, error_filter)

    def error(middle):
        whole = np.concatenate([left, middle, right])
        return (lfilter(error_filter, [1.0], whole)[2:] ** 2).sum()

    assert error(made) < error(x[1000:1040])
    rng = drawn(1)
    assert all(error(made) < error(made + 1e-3 * rng.standard_normal(40)) for _ in range(5))


def test_a_filter_longer_than_the_gap_and_than_the_side():
    x = tones(2000)
    error_filter, _ = burg([x[:900], x[905:]], 64)
    assert np.allclose(interpolate(x[:900], 5, x[905:], error_filter), x[900:905], atol=1e-4)
    assert np.allclose(interpolate(x[880:900], 5, x[905:], error_filter), x[900:905], atol=0.1)


def test_extrapolation_goes_on_with_tones():
    x = tones(6000)
    error_filter, _ = burg([x[:5000]], 64)
    made = extrapolate(x[:5000], 1000, error_filter, np.zeros(1000))
    assert np.abs(made - x[5000:]).max() < 1e-3


@pytest.mark.parametrize("milliseconds", [1, 10, 25, 60, 300])
def test_tones_come_back_at_their_level(milliseconds):
    count = RATE * milliseconds // 1000
    x = tones(20000 + count) + 1e-4 * drawn(3).standard_normal(20000 + count)
    made = GapFiller(RATE).fill(x[:10000], count, x[10000 + count :], drawn())
    gap = x[10000 : 10000 + count]
    ratio = 10 * np.log10(((made - gap) ** 2).sum() / (gap**2).sum())
    assert ratio < -12


def test_noise_comes_back_at_its_level_in_long_gaps():
    x = drawn(4).standard_normal(30000) * 0.1
    made = GapFiller(RATE).fill(x[:12000], 6000, x[18000:], drawn())
    level = 20 * np.log10(np.std(made) / 0.1)
    assert abs(level) < 4
    quarters = made.reshape(4, -1).std(axis=1)
    assert quarters.max() / quarters.min() < 1.5


@pytest.mark.parametrize("count", [3, 700, 5000])
def test_sides_that_are_short_empty_or_silent(count):
    filler, x = GapFiller(RATE), tones(8000)
    nothing, silence = np.empty(0), np.zeros(8000)
    for left, right in ((x, nothing), (nothing, x), (x, x[:1]), (x[:1], nothing), (silence, x)):
        made = filler.fill(left, count, right, drawn())
        assert made.shape == (count,) and np.isfinite(made).all()
        assert np.abs(made).max() < 2
    assert not filler.fill(nothing, count, nothing, drawn()).any()
    assert not filler.fill(silence, count, silence, drawn()).any()


def test_only_the_context_counts():
    x, filler = tones(30000), GapFiller(RATE)
    short = filler.fill(x[5000:10000], 3000, x[13000:18000], drawn())
    assert np.array_equal(filler.fill(x[:10000], 3000, x[13000:], drawn()), short)
    assert filler.context <= 5000
