"""What holds for every test."""

import logging
import signal
from collections.abc import Iterator

import pytest

import audiofix  # noqa: F401  before torch: it sets how long OpenMP's idle threads spin

# A shell that starts the tests in the background leaves Ctrl-C ignored, and so would every command.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Whoever runs a verb in this process sends the log to that test's standard error."""
    log = logging.getLogger("audiofix")
    handlers, propagate, level = log.handlers[:], log.propagate, log.level
    yield
    log.handlers[:], log.propagate = handlers, propagate
    log.setLevel(level)
