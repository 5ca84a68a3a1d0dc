import numpy as np
import pytest
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.streaming.chain import Chain
from audiofix.streaming.exact_length import ExactLength
from audiofix.streaming.resample import Resample


def double(source=11025, middle=48000, result=44100):
    return Chain(Resample(AudioFormat(source, 1), middle), Resample(AudioFormat(middle, 1), result))


def test_keeps_the_laws():
    check_stage(lambda: ExactLength(double()), lengths=[3, 100, 6007])


@pytest.mark.parametrize("samples", range(1, 40))
def test_length_is_that_of_one_rounding(samples):
    x = noise(1, samples)
    stage = ExactLength(double())
    assert feed(stage, x, [samples]).shape == (1, 4 * samples)


def test_shifts_nothing():
    x = noise(1, 5000)
    plain, fitted = feed(double(), x, [5000]), feed(ExactLength(double()), x, [5000])
    count = min(plain.shape[1], fitted.shape[1]) - 2
    assert np.array_equal(plain[:, :count], fitted[:, :count])
