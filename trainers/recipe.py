"""What makes one model's training different from another's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.journal import Example
from torch import Tensor, nn

Item = Mapping[str, np.ndarray[Any, Any]]
Batch = dict[str, Tensor]
Losses = Mapping[str, Tensor]

TOTAL = "total"
"""The loss that is minimised; the others of a turn are only logged."""


class Recipe(Protocol):
    """What the loop asks of a model's training.

    A step takes one batch and gives every network its turn, in order: first the generator, say,
    then the discriminator. Only the network whose turn it is has gradients.
    """

    networks: Mapping[str, nn.Module]
    device: torch.device
    """Where the networks are."""
    training: Sequence[Recording]
    held_out: Sequence[Recording]
    monitor: str
    """The validation figure that decides which checkpoint is best; smaller is better."""

    def item(self, generator: np.random.Generator) -> Item:
        """Return one item of a batch; called in threads."""
        ...

    def losses(self, turn: str, batch: Batch) -> Losses:
        """Return a turn's losses, means over the batch.

        What a turn leaves in `batch`, the next one finds there.
        """
        ...

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return figures of the held-out data."""
        ...

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out clips to look at and to listen to."""
        ...

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the checkpoint that users will load."""
        ...
