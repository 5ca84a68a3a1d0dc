import threading

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


@pytest.mark.parametrize("chunk", [[[0.0], [0.0]], np.zeros((2, 1), complex), None, "x"])
def test_refuses_other_types(chunk):
    with pytest.raises(InputError, match="must be a numpy array"):
        guard().push(chunk)


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "NaN"), (-np.inf, "NaN"), (1e6, "level"), (-3e30, "level")]
)
def test_refuses_what_is_no_sound_and_names_its_time(value, message):
    stage = guard()
    stage.push(np.full((2, 8000), 999_999, np.float32))
    x = np.zeros((2, 5), np.float32)
    x[1, 2] = value
    with pytest.raises(InputError, match=f"sample at 1.000250 s: .*{message}"):
        stage.push(x)


def test_a_second_thread_inside_a_stage_is_told():
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Resample):
        def push(self, chunk):
            inside.set()
            go_on.wait(30)
            return super().push(chunk)

    stage = Guard(Slow(AudioFormat(8000, 2), 8000))
    x = np.zeros((2, 5), np.float32)
    thread = threading.Thread(target=stage.push, args=(x,))
    thread.start()
    inside.wait(30)
    with pytest.raises(UsageError, match="two threads"):
        stage.push(x)
    go_on.set()
    thread.join()
    stage.push(x)
