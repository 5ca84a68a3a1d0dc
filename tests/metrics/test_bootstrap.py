"""Intervals of means."""

import numpy as np
import pytest

from audiofix.metrics.bootstrap import mean_interval


def test_the_interval_is_near_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = mean_interval(values, seed=1)
    margin = 1.96 * values.std() / np.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - margin, abs=0.03)
    assert found.high == pytest.approx(values.mean() + margin, abs=0.03)


def test_the_seed_decides():
    values = list(np.random.default_rng(0).normal(3, 2, 40))
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_equal_values_leave_no_doubt():
    found = mean_interval([2.5] * 3, seed=0)
    assert (found.mean, found.low, found.high, found.files) == (2.5, 2.5, 2.5, 3)


def test_what_is_not_defined_is_left_out():
    found = mean_interval([np.nan, 4.0], seed=0)
    assert (found.mean, found.files) == (4.0, 1)
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(mean_interval([np.nan], seed=0).mean)
