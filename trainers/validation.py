"""Held-out clips: the same at every validation, to measure, to look at and to listen to."""

from collections.abc import Mapping

import numpy as np
import torch
from audiofix.trainers.data.clips import read_with_rate
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.run_log import Example
from torch import Tensor

from audiofix.audio.format import Chunk

VALIDATION_SEED = 0
"""Of what is drawn for a held-out clip, noise for example."""


def centre_clip(recording: Recording, rate: int, samples: int) -> tuple[Chunk, int]:
    """Return the middle of a recording's first channel `[1, samples]`, and its own rate.

    A shorter recording is followed by silence.
    """
    sound, own_rate = read_with_rate(recording, rate)
    start = max(0, (sound.shape[1] - samples) // 2)
    clip = sound[:1, start : start + samples]
    return np.pad(clip, [(0, 0), (0, samples - clip.shape[1])]), own_rate


def batch_of_one(clip: Chunk, device: torch.device) -> Tensor:
    """Return a clip as `[1, channels, samples]` on the device."""
    return torch.from_numpy(clip)[None].to(device)


def example(name: str, rate: int, sounds: Mapping[str, Tensor]) -> Example:
    """Return sounds `[1, channels, samples]` as an example for the run's log."""
    return Example(name, rate, {key: one[0].float().cpu().numpy() for key, one in sounds.items()})
