"""Uneven streams come out even."""

import numpy as np
from stages import cuts, noise

from audiofix.streaming.lockstep import Lockstep


def test_every_stream_comes_out_whole_and_side_by_side():
    streams = [noise(2, 1003, seed=seed) for seed in range(3)]
    ways = list(cuts(1003))
    lockstep, starts, out = Lockstep(3), [0, 0, 0], [[], [], []]
    for step in range(max(map(len, ways))):
        chunks = []
        for index, sizes in enumerate(ways):
            size = sizes[step] if step < len(sizes) else 0
            chunks.append(streams[index][:, starts[index] : starts[index] + size])
            starts[index] += size
        ready = lockstep.push(*chunks)
        assert len({chunk.shape for chunk in ready}) == 1
        for parts, chunk in zip(out, ready, strict=True):
            parts.append(chunk)
    for parts, stream in zip(out, streams, strict=True):
        assert np.array_equal(np.concatenate(parts, axis=1), stream)


def test_what_the_others_lack_is_held():
    x = noise(1, 10)
    lockstep = Lockstep(2)
    assert [chunk.shape[1] for chunk in lockstep.push(x, x[:, :4])] == [4, 4]
    assert lockstep.held == [6, 0]
    first, second = lockstep.push(x[:, :0], x[:, 4:])
    assert np.array_equal(first, x[:, 4:]) and np.array_equal(second, x[:, 4:])
