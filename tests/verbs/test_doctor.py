"""What `doctor` finds."""

import platform
import tomllib
from pathlib import Path

import pytest
import torch

from audiofix.verbs import doctor
from audiofix.verbs.doctor import examine
from audiofix.version import VERSION


def test_every_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    assert set(doctor.EXTRAS) == set(extras) - {"dev", "scale"}
    monkeypatch.setattr(doctor, "find_spec", lambda name: name != "pystoi")
    found = doctor.examine()
    assert found["[eval]"] == (
        "missing pystoi (for the metrics pesq, loudness and stoi of eval, and linear "
        "separability): pip install 'audiofix[eval]'"
    )
    assert found["[live]"] is True


def test_it_finds_what_is_here() -> None:
    found = examine()
    assert (found["audiofix"], found["python"]) == (VERSION, platform.python_version())
    assert found["torch"] == torch.__version__
    assert {"cuda", "scan", "libsndfile", "pyav", "ffmpeg", "sox", "cache"} <= found.keys()
