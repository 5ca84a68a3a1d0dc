import numpy as np
import pytest
from stages import noise

from audiofix.metrics.alignment import advanced, delay

X = noise(2, 200_001)


@pytest.mark.parametrize("late", [0, 1, -1, 37, -200, 200])
def test_a_shift_is_found_and_undone(late):
    moved = advanced(X, -late) + 0.2 * noise(2, 200_001, seed=9)
    assert moved.shape == X.shape
    assert delay(moved, X, 200) == late
    back = advanced(moved, late)
    inner = slice(200, -200)
    assert np.corrcoef(back[0, inner], X[0, inner])[0, 1] > 0.97


def test_a_shift_beyond_the_search_is_not_found():
    assert abs(delay(advanced(X, -300), X, 200)) <= 200


@pytest.mark.parametrize("samples", [0, 1, 5])
def test_short_and_silent_sounds_are_in_time(samples):
    x = np.zeros((1, samples), np.float32)
    assert delay(x, x, 10) == 0
    assert delay(x + 1, x + 1, 10) == 0


@pytest.mark.parametrize(("by", "expected"), [
    (0, [1, 2, 3]), (1, [2, 3, 0]), (-1, [0, 1, 2]), (3, [0, 0, 0]), (9, [0, 0, 0]),
    (-9, [0, 0, 0]),
])  # fmt: skip
def test_advancing_keeps_the_length(by, expected):
    assert advanced(np.array([[1, 2, 3]]), by).tolist() == [expected]


@pytest.mark.parametrize("late", [-200, 0, 137])
def test_of_an_estimate_with_waves_of_its_own(late):
    """Two noises under one envelope of sharp bursts have nothing else in common."""
    generator = np.random.default_rng(3)
    envelope = np.repeat(generator.random(40) < 0.4, 1000).astype(np.float32)
    clean, other = generator.standard_normal((2, 1, 40000)).astype(np.float32)
    estimate = advanced(other * envelope, -late)
    assert abs(delay(estimate, clean * envelope, 320) - late) <= 16


def test_a_single_channel_of_silence_does_not_matter():
    x = np.random.default_rng(4).standard_normal((2, 5000)).astype(np.float32)
    x[1] = 0
    assert delay(advanced(x, -30), x, 100) == 30
