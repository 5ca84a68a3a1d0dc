from fractions import Fraction

import pytest

from audiofix.streaming.stage import scaled_length


@pytest.mark.parametrize("rates", [(8000, 48000), (44100, 16000), (11025, 44100), (3, 2)])
def test_scaled_length_rounds_halves_up(rates):
    source, result = rates
    for samples in range(500):
        exact = Fraction(samples * result, source)
        assert scaled_length(samples, source, result) == int(exact + Fraction(1, 2))
