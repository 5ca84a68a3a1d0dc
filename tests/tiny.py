"""A tiny VM-ASR with random weights: real code paths without a trained model."""

from dataclasses import asdict
from pathlib import Path

import torch

from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.weights import Checkpoint, save_checkpoint

CONFIG = VMASRConfig(dims=4, depths=(1, 1, 1), interact="single")


def tiny_checkpoint(path: Path, **config) -> Path:
    """Write the tiny model as an audiofix checkpoint and return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VMASR(CONFIG)
    settings = {**asdict(CONFIG), "rate": 48000, "patched": True, **config}
    tensors = network.state_dict()
    save_checkpoint(path, Checkpoint("tiny", "vmasr", settings, tensors, str(path)))
    return path
