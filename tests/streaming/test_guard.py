import numpy as np
import pytest

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError, UsageError
from audiofix.streaming.guard import Guard
from audiofix.streaming.resample import Resample


def guard():
    return Guard(Resample(AudioFormat(8000, 2), 8000))


def test_passes_what_is_in_order():
    x = np.ones((2, 5))
    y = guard().push(x)
    assert y.dtype == np.float32 and np.array_equal(y, x)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (3, 5), (2, 5, 1)])
def test_refuses_wrong_shapes(shape):
    with pytest.raises(InputError, match=r"must be \[2, samples\]"):
        guard().push(np.zeros(shape, np.float32))


@pytest.mark.parametrize("action", ["push", "flush"])
def test_refuses_use_after_flush(action):
    stage = guard()
    stage.flush()
    with pytest.raises(UsageError, match="already flushed"):
        stage.push(np.zeros((2, 1), np.float32)) if action == "push" else stage.flush()
