import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from audiofix.trainers.batches import Batches, collated
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings

from audiofix.errors import DeviceError

CPU = torch.device("cpu")
SETTINGS = LoopSettings(batch=4, accumulate=2)


def item(generator):
    return {"x": generator.standard_normal(3)}


def drawn(settings=SETTINGS, own=None, steps=(0, 1)):
    with Batches(item, settings, own or World(), CPU) as batches:
        return [[part["x"] for part in batches.parts(step)] for step in steps]


def test_parts_are_what_the_numbers_of_the_items_say():
    parts = drawn()
    assert [part.shape for part in parts[1]] == [(2, 3), (2, 3)]
    expected = [np.random.default_rng([1, number]).standard_normal(3) for number in range(4, 8)]
    assert np.array_equal(torch.cat(parts[1]), np.stack(expected))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(("workers", "processes"), [(1, False), (3, False), (1, True), (3, True)])
def test_neither_workers_nor_where_a_run_begins_change_a_batch(workers, processes):
    settings = replace(SETTINGS, workers=workers, worker_processes=processes)
    later = drawn(settings, steps=(1,))[0]
    assert torch.equal(torch.cat(later), torch.cat(drawn()[1]))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_worker_processes_are_others_and_one_that_is_killed_is_told():
    settings = replace(SETTINGS, workers=2, worker_processes=True)
    with Batches(process_of_item, settings, World(), CPU) as batches:
        (first, _) = batches.parts(0)
        assert os.getpid() not in first["pid"]
        os.kill(int(first["pid"][0]), signal.SIGKILL)
        with pytest.raises(DeviceError, match=r"lower loop\.workers"):
            for step in range(1, 100):
                batches.parts(step)


def process_of_item(generator):
    del generator
    return {"pid": np.array(os.getpid())}


def test_processes_share_a_batch_out():
    alone = torch.cat(drawn()[0])
    shares = [torch.cat(drawn(own=World(rank, 2))[0]) for rank in (0, 1)]
    assert torch.equal(torch.stack(shares, dim=1).flatten(0, 1), alone)


def test_the_error_of_an_item_is_raised_where_its_batch_is_asked_for():
    def broken(generator):
        raise ValueError("unreadable")

    with (
        Batches(broken, SETTINGS, World(), CPU) as batches,
        pytest.raises(ValueError, match="unre"),
    ):
        batches.parts(0)


def test_numbers_of_items_become_a_row():
    batch = collated([{"edge": np.array(3)}, {"edge": np.array(5)}], CPU)
    assert batch["edge"].tolist() == [3, 5]
