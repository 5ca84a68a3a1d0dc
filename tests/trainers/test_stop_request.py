import os
import signal
import time

import pytest
from audiofix.trainers import stop_request
from audiofix.trainers.stop_request import StopRequest


@pytest.fixture
def heard():
    """The signals that reach whoever handled them before."""
    numbers = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def test_a_signal_waits_until_it_is_obeyed(heard):
    with StopRequest() as stop:
        assert not stop.came
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.came and not stop.overdue and heard == []
        stop.obey()
        assert heard == [signal.SIGTERM]
        stop.obey()
    assert heard == [signal.SIGTERM]


def test_a_signal_becomes_overdue(heard, monkeypatch):
    monkeypatch.setattr(stop_request, "_PATIENCE_SECONDS", 0.0)
    with StopRequest() as stop:
        assert not stop.overdue
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        assert stop.overdue


def test_asked_again_it_comes_through(heard, monkeypatch):
    monkeypatch.setattr(stop_request, "_AGAIN_SECONDS", 0.05)
    with StopRequest():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        assert heard == []  # a double click is one wish
        time.sleep(0.06)
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]


def test_afterwards_signals_go_where_they_went(heard):
    with StopRequest():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM]
