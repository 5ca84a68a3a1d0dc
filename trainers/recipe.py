"""What makes one model's training different from another's."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.distributed import World
from audiofix.trainers.progress import Bar
from audiofix.trainers.run_log import Example
from torch import Tensor, nn

Item = Mapping[str, np.ndarray[Any, Any]]
Batch = dict[str, Tensor]
Losses = Mapping[str, Tensor]

TOTAL = "total"
"""The loss that is minimised; the others of a turn are only logged."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The network that is trained now, and when.

    Attributes:
        network: its name in `Recipe.networks`. Only this network has gradients.
        step: counted from 0.
        fake: what an earlier turn of this step made of the same part of the batch; else None.
    """

    network: str
    step: int
    fake: Tensor | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a turn found.

    Attributes:
        losses: means over the batch by name. `TOTAL` is minimised.
        fake: what the network made, for the later turns of the step; is detached.
    """

    losses: Losses
    fake: Tensor | None = None


class Recipe(ABC):
    """What the loop asks of a model's training.

    A step takes one batch and gives every network its turn, in order: first the generator, say,
    then the discriminator.

    Attributes:
        networks: by name, in the order of their turns.
        device: where the networks are.
        training: the recordings that are trained on.
        held_out: the recordings that are validated.
        monitor: the validation figure that decides which checkpoint is best; smaller is better.
        world: the processes of the run, set by the loop: they share the held-out recordings.
    """

    networks: Mapping[str, nn.Module]
    device: torch.device
    training: Sequence[Recording]
    held_out: Sequence[Recording]
    monitor: str
    world: World = World()

    def prepare(self, bar: Bar) -> None:
        """Do what takes long before the first step: first codebooks, statistics of the data.

        Called once a run, in the main process; a resumed run and other processes have the results
        in the networks and in `state_dict`.

        Args:
            bar: shows how far it is.
        """
        del bar

    @abstractmethod
    def item(self, generator: np.random.Generator) -> Item:
        """Return one item of a batch; called in threads."""

    @abstractmethod
    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn at a part of the batch."""

    @abstractmethod
    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return figures of the held-out data, the same in all processes.

        Each process computes its share, `world.share`, and `world.gathered` has that of all.
        """

    @abstractmethod
    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return this process's share of `count` held-out clips to look at and to listen to."""

    @abstractmethod
    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the checkpoint that users will load."""

    def turns(self, step: int, generator: np.random.Generator) -> Sequence[str]:
        """Return the networks that have a turn in this step, in order: all of them.

        Args:
            step: counted from 0.
            generator: the same numbers in every process and in a resumed run.
        """
        del step, generator
        return list(self.networks)

    def adapt(self, step: int, figures: Mapping[str, float]) -> None:
        """Change the recipe's own state after a step, for example the strength of augmentation.

        Args:
            step: the one that was taken, counted from 0.
            figures: its losses, `discriminator.total` for example, means over all processes.
        """
        del step, figures

    def state_dict(self) -> dict[str, Any]:
        """Return the recipe's own state, of plain numbers and tensors: part of the run's state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        del state
