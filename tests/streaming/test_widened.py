import numpy as np
from stages import check_stage, noise

from audiofix.audio.format import AudioFormat
from audiofix.streaming.resample import Resample
from audiofix.streaming.widened import Widened


class Kept:
    """A stage that gives back what it is pushed, and notes its type."""

    source = result = AudioFormat(8000, 1)
    latency = 0

    def __init__(self):
        self.types = set()

    def push(self, chunk):
        self.types.add(chunk.dtype)
        return chunk

    def flush(self):
        return np.full((1, 1), np.pi)


def test_keeps_the_laws():
    source = AudioFormat(8000, 2)
    check_stage(lambda: Widened(Resample(source, 8000)), lengths=[1, 100])


def test_the_stage_sees_float64_and_others_float32():
    stage = Kept()
    wide = Widened(stage)
    x = noise(1, 10)
    for given in (x, x.astype(np.float64)):
        made = wide.push(given)
        assert made.dtype == np.float32 and np.array_equal(made, x)
    assert stage.types == {np.dtype(np.float64)}
    assert wide.flush().dtype == np.float32
