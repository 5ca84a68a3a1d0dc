from datetime import timedelta

import pytest
from audiofix.trainers import liveness
from audiofix.trainers.liveness import Liveness
from torch.distributed import HashStore

from audiofix.errors import DeviceError


class Work:
    """An exchange that ends after so many questions; never by itself for None."""

    def __init__(self, questions, error=None):
        self.questions, self.error = questions, error

    def is_completed(self):
        self.questions -= 1
        return self.questions <= 0

    def wait(self):
        if self.error:
            raise self.error


def lively(store, rank=0, **options):
    return Liveness(store, rank, 2, **options)


@pytest.fixture
def store():
    store = HashStore()
    store.set_timeout(timedelta(seconds=1))
    return store


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(liveness, "_BEAT_SECONDS", 0.01)
    monkeypatch.setattr(liveness, "_LOST_SECONDS", 0.2)
    monkeypatch.setattr(liveness, "_STORE_WAIT", timedelta(seconds=0.2))


def test_who_beats_may_take_long(store):
    with lively(store, 1), lively(store) as watcher:
        watcher.wait(Work(40))


def test_who_falls_silent_is_lost(store):
    with lively(store, 1):
        pass
    with lively(store) as watcher, pytest.raises(DeviceError, match="process 1: lost"):
        watcher.wait(Work(10**9))


def test_who_never_comes_is_lost(store):
    with lively(store) as watcher, pytest.raises(DeviceError, match="never came: lost"):
        watcher.wait(Work(10**9))


def test_a_broken_exchange_is_a_lost_process(store):
    broken = Work(0, RuntimeError("Connection closed by peer"))
    with lively(store) as watcher, pytest.raises(DeviceError, match="start all processes again"):
        watcher.wait(broken)


def test_an_overdue_stop_ends_the_wait(store):
    class Stop:
        overdue = True

        def obey(self):
            raise KeyboardInterrupt

    with (
        lively(store, 1),
        lively(store, stop=Stop()) as watcher,
        pytest.raises(KeyboardInterrupt),
    ):
        watcher.wait(Work(10**9))
