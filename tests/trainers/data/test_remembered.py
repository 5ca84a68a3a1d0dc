import numpy as np
import pytest
from audiofix.trainers.data import remembered
from audiofix.trainers.data.remembered import Remembered


@pytest.mark.parametrize(("processes", "kept"), [(1, 3), (3, 1)])
def test_only_so_many_bytes_are_kept(monkeypatch, processes, kept):
    monkeypatch.setattr(remembered, "_BYTES", 3000)
    monkeypatch.setattr(remembered, "_processes", processes)
    read = []

    def sound(place):
        read.append(place)
        return np.full(125, place, np.float64), 8000

    known = Remembered(sound)
    for place in (0, 1, 2, 3):
        assert known(place)[0][0] == place
    assert read == [0, 1, 2, 3]
    for place in range(3, 3 - kept, -1):
        known(place)
    assert read == [0, 1, 2, 3]
    known(3 - kept)
    assert read == [0, 1, 2, 3, 3 - kept]
