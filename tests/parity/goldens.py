import json
import os
import zlib
from pathlib import Path

import fill as filler
import numpy as np
import pytest
import torch

GOLDEN = Path(os.environ.get("AUDIOFIX_GOLDEN", Path(__file__).parent / "golden"))
SALT = int(os.environ.get("AUDIOFIX_GOLDEN_SALT", "0"))


class Case:
    """One golden file: arrays as tensors, and its configuration."""

    def __init__(self, path):
        self.arrays = dict(np.load(path))
        self.config = json.loads(np.asarray(self.arrays.pop("config", "{}")).item())

    def __contains__(self, name):
        return name in self.arrays

    def __getitem__(self, name):
        return torch.from_numpy(np.asarray(self.arrays[name]))

    def named(self, prefix):
        """Return name -> tensor of the arrays that begin with `prefix`, which is cut off."""
        return {n.removeprefix(prefix): self[n] for n in self.arrays if n.startswith(prefix)}


def golden(system, pattern):
    """Return the golden files of a system as test parameters."""
    paths = sorted((GOLDEN / system).glob(pattern))
    assert paths, f"no golden files {pattern} for {system} in {GOLDEN}"
    return [pytest.param(path, id=path.stem) for path in paths]


def filled(module, state=None):
    """Fill a module's parameters by the salt, load buffers, and return it in eval mode."""
    filler.fill(module, None, SALT)
    own = module.state_dict()
    for name, value in (state or {}).items():
        own[name].copy_(value)
    return module.eval()


def recipe(name, size, salt=SALT):
    """Return the deterministic float64 values that a golden's documentation names."""
    return torch.from_numpy(filler.uniform((zlib.crc32(name.encode()) << 20) + salt, size))


def deviation(found, expected):
    """Return the relative root-mean-square difference."""
    found, expected = found.detach().double(), expected.double()
    assert found.shape == expected.shape
    return float(torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected))
