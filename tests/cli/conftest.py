"""Whole commands in processes of their own, and a model that is small enough for them."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import Forks, Run, run_fresh


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment without the user's settings, cache or network."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("AUDIOFIX_") or name == "AUDIOFIX_SCAN"
    }
    return {
        **kept,
        "AUDIOFIX_CACHE": str(tmp_path_factory.mktemp("cache")),
        "AUDIOFIX_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
    }


@pytest.fixture(scope="session")
def forks(environment: Mapping[str, str]) -> Iterator[Forks]:
    """The process whose forks run most commands."""
    forks = Forks(environment)
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def audiofix(environment: Mapping[str, str], forks: Forks) -> Run:
    """Run a command to its end; in a fresh process where Python itself is told something."""

    def run(
        *arguments: str | Path,
        stdin: bytes = b"",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        for_python = any(name.startswith(("PYTHON", "LD_", "OMP_")) for name in env or {})
        start = run_fresh if for_python else forks.run
        return start(arguments, stdin, cwd, {**environment, **(env or {})})

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VM-ASR checkpoint of random weights, small enough to run in a test."""
    import torch

    from audiofix.backends.systems import build
    from audiofix.backends.weights import Checkpoint, save_checkpoint

    config: dict[str, object] = {
        "depths": [1, 1, 1, 1],
        "dims": 4,
        "n_fft": 128,
        "hop_length": 40,
        "win_length": 128,
    }
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build("vmasr", config)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    tensors = dict(network.state_dict())
    save_checkpoint(path, Checkpoint("tiny", "vmasr", {**config, "rate": 8000}, tensors, "test"))
    return path


@pytest.fixture
def speech() -> np.ndarray:
    """Half a second of band-limited sound `[samples]` at 4 kHz, level below 0.5."""
    generator = np.random.default_rng(7)
    time = np.arange(2000) / 4000
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 440, 880))
    return (0.12 * tones + 0.01 * generator.standard_normal(2000)).astype(np.float32)


@pytest.fixture
def recording(tmp_path: Path, speech: np.ndarray) -> Path:
    """The same as a WAV file of 16 bits."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, speech, 4000)
    return path
