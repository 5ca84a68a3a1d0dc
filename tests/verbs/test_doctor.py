"""What `doctor` finds."""

import platform

import torch

from audiofix.verbs.doctor import examine
from audiofix.version import VERSION


def test_it_finds_what_is_here() -> None:
    found = examine()
    assert (found["audiofix"], found["python"]) == (VERSION, platform.python_version())
    assert found["torch"] == torch.__version__
    assert {"cuda", "scan", "libsndfile", "pyav", "ffmpeg", "sox", "cache"} <= found.keys()
