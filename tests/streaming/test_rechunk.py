import numpy as np

from audiofix.streaming.rechunk import Rechunk


def test_blocks_and_rest_are_the_stream():
    blocks = Rechunk(2, 10)
    x = np.arange(2 * 47, dtype=np.float32).reshape(2, 47)
    parts = []
    start = 0
    for size in (0, 3, 20, 1, 23):
        parts += list(blocks.push(x[:, start : start + size]))
        start += size
    assert [part.shape[1] for part in parts] == [10, 10, 10, 10]
    assert np.array_equal(np.concatenate([*parts, blocks.rest()], axis=1), x)
    assert blocks.rest().shape == (2, 0)
