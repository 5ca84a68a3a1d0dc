"""One file's windows in several processes: the same bits."""

import os
import signal

import numpy as np
import pytest
from window_effect import Doubler, Doubling

from audiofix.errors import DeviceError
from audiofix.jobs.windows import compute_elsewhere, window_processes


def test_windows_are_computed_in_order_by_other_processes_until_one_is_killed():
    with window_processes(Doubling(), 1) as compute:
        loaded = compute_elsewhere(Doubler(), compute, 1)
        assert loaded.together == 2
        results = loaded.computing([np.full(3, place) for place in range(5)])
        assert [made[0] for made, _ in results] == [0, 2, 4, 6, 8]
        (process,) = {process for _, process in results}
        assert process != os.getpid()
        os.kill(process, signal.SIGKILL)
        with pytest.raises(DeviceError, match="use fewer --jobs"):
            compute([np.ones(1)] * 3)


def test_a_model_without_windows_works_alone_and_says_so(caplog):
    with window_processes(Doubling(), 2) as compute:
        model = object()
        assert compute_elsewhere(model, compute, 2) is model
    assert "in order" in caplog.text
