"""What several tests of audio input share."""

import os
import sys
import threading

import pytest


@pytest.fixture
def piped(monkeypatch):
    """Return a function that puts bytes on standard input, in pieces of odd sizes."""
    opened = []

    def feed(data, piece=777):
        reader, writer = os.pipe()

        def write():
            with os.fdopen(writer, "wb", buffering=0) as pipe:
                for start in range(0, len(data), piece):
                    try:
                        pipe.write(data[start : start + piece])
                    except BrokenPipeError:
                        return

        threading.Thread(target=write, daemon=True).start()
        opened.append(os.fdopen(reader))
        monkeypatch.setattr(sys, "stdin", opened[-1])

    yield feed
    for file in opened:
        file.close()
