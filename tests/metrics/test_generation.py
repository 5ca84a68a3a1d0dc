import numpy as np
import pytest

from audiofix.errors import InputError
from audiofix.metrics.generation import (
    am_score,
    different_bins,
    frechet_distance,
    inception_score,
    k_means,
    linear_separability,
    modified_inception_score,
)


def certain(labels, classes=10):
    return np.eye(classes)[labels]


def test_sure_and_varied_samples_score_as_many_as_there_are_classes():
    probabilities = certain(np.arange(2000) % 10)
    assert inception_score(probabilities) == pytest.approx(10, rel=0.01)
    assert inception_score(certain(np.zeros(200, int))) == pytest.approx(1)
    assert inception_score(np.full((200, 10), 0.1)) == pytest.approx(1)


def test_zero_probabilities_do_not_make_scores_infinite():
    assert np.isfinite(modified_inception_score(certain(np.arange(100) % 10), pairs=50))
    training = certain(np.arange(100) % 10)
    assert am_score(training, training) == pytest.approx(0, abs=1e-9)
    assert am_score(training, np.full((10, 10), 0.1)) == pytest.approx(np.log(10))


def test_frechet_distance_of_shifted_samples_is_the_square_of_the_shift():
    real = np.random.default_rng(0).standard_normal((400, 5))
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(real, real + 2) == pytest.approx(20)


def test_too_few_samples_for_a_covariance_are_refused():
    real = np.zeros((8, 8))
    with pytest.raises(InputError, match="use more than 8 samples"):
        frechet_distance(real, real)
    with pytest.raises(InputError, match="do not fill 50 bins"):
        different_bins(real, real)


def test_bins_differ_where_a_mode_is_missing():
    centres = 10 * np.arange(4)[:, None] * np.ones(3)
    draw = np.random.default_rng(0)
    real = centres[np.arange(400) % 4] + draw.standard_normal((400, 3))
    found = k_means(real, 4)
    assert np.allclose(np.sort(found[:, 0]), centres[:, 0], atol=0.5)
    again = centres[np.arange(400) % 4] + draw.standard_normal((400, 3))
    assert different_bins(real, again, bins=4) == 0
    collapsed = centres[np.zeros(400, int)] + draw.standard_normal((400, 3))
    assert different_bins(real, collapsed, bins=4) == 1


def test_one_class_says_nothing_of_the_latents():
    latents = np.random.default_rng(0).standard_normal((20, 4))
    assert linear_separability(latents, certain(np.zeros(20, int), 2)) == pytest.approx(1)


def test_classes_on_both_sides_of_a_plane_are_separable():
    draw = np.random.default_rng(0)
    labels = np.arange(200) % 2
    latents = draw.standard_normal((200, 4))
    latents[:, 0] = np.abs(latents[:, 0]) * np.where(labels, 1, -1) + np.where(labels, 1, -1)
    assert linear_separability(latents, certain(labels, 2)) == pytest.approx(1)
    unrelated = draw.standard_normal((200, 4))
    assert linear_separability(unrelated, certain(labels, 2)) == pytest.approx(2, abs=0.1)
