"""Everything that a run needs to go on as if it had never stopped."""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from audiofix.trainers.ema import ema_copy
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import build_optimiser
from audiofix.trainers.recipe import Recipe
from torch import nn
from torch.optim import Optimizer

from audiofix.errors import CheckpointError
from audiofix.files import NewFile

STATE_FILE = "last.pt"
_DAMAGE = (
    OSError, RuntimeError, LookupError, TypeError, ValueError, EOFError, AttributeError,
    NotImplementedError, pickle.PickleError, zipfile.BadZipFile,
)  # fmt: skip


@dataclass
class RunState:
    """What changes from step to step.

    Random numbers are not here: every item of every batch is drawn by a generator of its own,
    seeded by the run's seed and the item's number, and every step seeds torch's.

    Attributes:
        recipe: it holds the networks, and may have a state of its own.
        optimisers: of each network.
        ema: of each network, its moving average.
        scaler: of fp16's losses; without effect in other precisions.
        step: steps done.
        best: monitored value and file of the checkpoints that are kept, best first.
        stale: validations since the best.
    """

    recipe: Recipe
    optimisers: Mapping[str, Optimizer]
    scaler: torch.amp.GradScaler
    ema: Mapping[str, nn.Module] = field(init=False)
    step: int = 0
    best: list[tuple[float, str]] = field(default_factory=list)
    stale: int = 0

    def __post_init__(self) -> None:
        self.ema = {name: ema_copy(network) for name, network in self.networks.items()}

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The recipe's networks by name."""
        return self.recipe.networks

    def state_dict(self) -> dict[str, Any]:
        """Return the state as nested dicts and lists of numbers and tensors."""
        state: dict[str, Any] = {
            kind: {name: part.state_dict() for name, part in parts.items()}
            for kind, parts in self._parts().items()
        }
        best = [list(pair) for pair in self.best]
        return state | {"step": self.step, "best": best, "stale": self.stale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        for kind, parts in self._parts().items():
            for name, part in parts.items():
                part.load_state_dict(state[kind][name])
        self.step, self.stale = state["step"], state["stale"]
        self.best = [(value, name) for value, name in state["best"]]

    def save(self, run: Path) -> None:
        """Write the state into the run's folder; the old one stays until the new one is whole."""
        with NewFile(run / STATE_FILE, overwrite=True) as new:
            torch.save(self.state_dict(), new.file)

    def load(self, run: Path) -> None:
        """Go on from the state in the run's folder.

        Raises:
            CheckpointError: it is damaged, or of other networks.
        """
        path = run / STATE_FILE
        try:
            _check_sums(path)
            state = torch.load(path, map_location=self.recipe.device, weights_only=True)
            self.load_state_dict(state)
        except _DAMAGE as error:
            raise CheckpointError(
                f"{path}: not a state of this run ({_first_line(error)}): "
                "use the run's own settings, or another --out"
            ) from error

    def _parts(self) -> dict[str, Mapping[str, Any]]:
        return {
            "networks": self.networks,
            "ema": self.ema,
            "optimisers": self.optimisers,
            "others": {"scaler": self.scaler, "recipe": self.recipe},
        }


def fresh_state(recipe: Recipe, settings: LoopSettings) -> RunState:
    """Return the state before the first step.

    Raises:
        SettingsError: an optimiser is for a network or weights that there are not.
    """
    settings.check_networks(recipe.networks)
    optimisers = {
        name: build_optimiser(network, settings.optimiser(name))
        for name, network in recipe.networks.items()
    }
    scaler = torch.amp.GradScaler(recipe.device.type, enabled=settings.precision == "fp16")
    return RunState(recipe, optimisers, scaler)


def _check_sums(path: Path) -> None:
    """Raise where a byte of the file is not what was written: torch does not look at the sums.

    A file of torch is a zip archive, and every member of one has a CRC-32.
    """
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise ValueError(f"the sum of {damaged} is wrong")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
