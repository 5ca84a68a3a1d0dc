"""Checkpoints at both ends of a run: the one it starts from, and the one that users will load."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from audiofix.backends.systems import load_checkpoint
from audiofix.backends.weights import Checkpoint, fill_module, save_checkpoint


def start_from(network: nn.Module, start: str) -> None:
    """Fill a network with the weights of a checkpoint; an empty `start` leaves it as it is.

    Raises:
        CheckpointError: the checkpoint cannot be read, or does not fit.
    """
    if start:
        checkpoint = load_checkpoint(start)
        fill_module(network, checkpoint.tensors, checkpoint.name)


def export(
    path: Path,
    *,
    name: str,
    system: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    half: bool = False,
) -> None:
    """Write a checkpoint that the ordinary verbs load by its file.

    Args:
        path: where to.
        name: of the model.
        system: that runs it.
        config: what the system's opener reads.
        tensors: the weights, under the names that the system's networks load.
        half: write float16.
    """
    save_checkpoint(
        path, Checkpoint(name, system, dict(config), dict(tensors), str(path)), half=half
    )
