import numpy as np
import pytest
from stages import check_stage, feed, noise
from streaming.test_correction import Halve

from audiofix.audio.format import AudioFormat
from audiofix.streaming.chain import Chain
from audiofix.streaming.exact_length import ExactLength
from audiofix.streaming.mixed import mixed
from audiofix.streaming.resample import Resample


def late_half(rate, result_rate):
    source = AudioFormat(rate, 2)
    return ExactLength(Chain(Halve(source), Resample(source, result_rate)))


@pytest.mark.parametrize("mix", [0.0, 0.25, 1.0])
def test_dry_and_wet_lie_on_each_other(mix):
    x = noise(2, 5003)
    made = feed(mixed(late_half(16000, 48000), mix), x, [5003])
    dry = feed(Resample(AudioFormat(16000, 2), 48000), x, [5003])
    assert made.shape == dry.shape
    assert np.abs(made - (1 - mix / 2) * dry).max() < 1e-6


def test_of_none_of_it_the_input_stays_to_the_bit():
    x = noise(2, 1001)
    assert np.array_equal(feed(mixed(late_half(8000, 8000), 0.0), x, [1001]), x)


@pytest.mark.parametrize("rates", [(16000, 16000), (16000, 44100)])
def test_laws(rates):
    check_stage(lambda: mixed(late_half(*rates), 0.5), lengths=(5000, 10007))
