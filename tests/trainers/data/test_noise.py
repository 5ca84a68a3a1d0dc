import numpy as np
import pytest
from audiofix.trainers.data.noise import add_noise
from stages import noise

CLEAN, OTHER = 0.5 * noise(1, 8000), noise(1, 8000, seed=2)


def ratio_db(noisy, clean=CLEAN):
    added = noisy.astype(np.float64) - clean
    return 10 * np.log10(np.mean(clean.astype(np.float64) ** 2) / np.mean(added**2))


@pytest.mark.parametrize("wanted", [-5.0, 0.0, 12.5])
def test_the_ratio_is_the_one_that_was_asked_for(wanted):
    for seed in range(8):  # both kinds of noise
        noisy = add_noise(CLEAN, OTHER, (wanted, wanted), np.random.default_rng(seed))
        assert noisy.shape == CLEAN.shape and noisy.dtype == np.float32
        assert ratio_db(noisy) == pytest.approx(wanted, abs=0.01)


def test_ratios_fill_their_range():
    draws = (np.random.default_rng(seed) for seed in range(60))
    found = [ratio_db(add_noise(CLEAN, OTHER, (0, 20), draw)) for draw in draws]
    assert min(found) > -0.01 and max(found) < 20.01
    assert min(found) < 3 and max(found) > 17


def test_about_half_of_the_noise_is_the_given_one():
    def likeness(seed):
        added = (add_noise(CLEAN, OTHER, (0, 0), np.random.default_rng(seed)) - CLEAN)[0]
        return np.dot(added, OTHER[0]) / np.linalg.norm(added) / np.linalg.norm(OTHER)

    likenesses = np.array([likeness(seed) for seed in range(100, 160)])
    given = likenesses > 0.999
    assert 20 <= given.sum() <= 40
    assert np.abs(likenesses[~given]).max() < 0.1


def test_silence_stays_silent():
    silent = np.zeros_like(CLEAN)
    for seed in range(4):
        assert not add_noise(silent, OTHER, (0, 0), np.random.default_rng(seed)).any()
        same = add_noise(CLEAN, silent, (0, 0), np.random.default_rng(seed))
        assert np.isfinite(same).all()
