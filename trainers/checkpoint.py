"""Checkpoints at both ends of a run: the one it starts from, and the one that users will load."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

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


class Named(Protocol):
    """The settings of a run, as far as a checkpoint is concerned."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def half(self) -> bool:
        """Whether its weights are written as float16."""


def export(
    path: Path,
    settings: Named,
    system: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
) -> None:
    """Write a checkpoint that the ordinary verbs load by its file.

    Args:
        path: where to.
        settings: of the run.
        system: that runs it.
        config: what the system's opener reads.
        tensors: the weights, under the names that the system's networks load.
    """
    checkpoint = Checkpoint(settings.name, system, dict(config), dict(tensors), str(path))
    save_checkpoint(path, checkpoint, half=settings.half)
