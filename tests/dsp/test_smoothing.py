"""Exponential smoothing, beside scipy's filter."""

import numpy as np
import pytest
from scipy.signal import lfilter

from audiofix.dsp.smoothing import smoothed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_it_has_the_bits_of_a_filter_however_the_stream_is_cut(dtype, shape):
    x = np.random.default_rng(0).standard_normal((50, *shape)).astype(dtype)
    expected = lfilter([1 - 0.9], [1, -0.9], x, axis=0, zi=np.zeros((1, *shape)))[0]
    last, parts = np.zeros(shape), []
    for part in (x[:1], x[1:1], x[1:20], x[20:]):
        y, last = smoothed(part, 0.9, last)
        parts.append(y)
    assert np.array_equal(np.concatenate(parts), expected)
    assert np.array_equal(last, expected[-1])
