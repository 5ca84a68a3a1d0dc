"""Everything that a run needs to go on as if it had never stopped."""

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from audiofix.trainers.averages import averaged_copy
from audiofix.trainers.loop_settings import LoopSettings
from torch import nn
from torch.optim import Optimizer

from audiofix.errors import CheckpointError

STATE_FILE = "last.pt"
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError, EOFError, pickle.PickleError)


@dataclass
class RunState:
    """What changes from step to step.

    Random numbers are not here: every item of every batch is drawn by a generator of its own,
    seeded by the run's seed and the item's number, and every step seeds torch's.

    Attributes:
        networks: turn -> the network that it trains.
        averages: turn -> the moving average of that network.
        optimisers: turn -> its optimiser.
        scaler: of fp16's losses; without effect in other precisions.
        step: steps done.
        best: monitored value and file of the checkpoints that are kept, best first.
        stale: validations since the best.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]
    scaler: torch.amp.GradScaler
    averages: Mapping[str, nn.Module] = field(init=False)
    step: int = 0
    best: list[tuple[float, str]] = field(default_factory=list)
    stale: int = 0

    def __post_init__(self) -> None:
        self.averages = {turn: averaged_copy(net) for turn, net in self.networks.items()}

    def save(self, run: Path) -> None:
        """Write the state into the run's folder; the old one stays until the new one is whole."""
        state: dict[str, Any] = {
            name: {turn: part.state_dict() for turn, part in parts.items()}
            for name, parts in self._parts().items()
        }
        state |= {"scaler": self.scaler.state_dict(), "step": self.step}
        state |= {"best": [list(pair) for pair in self.best], "stale": self.stale}
        part = run / f"{STATE_FILE}.part"
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(run / STATE_FILE)

    def load(self, run: Path, device: torch.device) -> None:
        """Go on from the state in the run's folder.

        Raises:
            CheckpointError: it is damaged, or of other networks.
        """
        path = run / STATE_FILE
        try:
            state = torch.load(path, map_location=device, weights_only=True)
            for name, parts in self._parts().items():
                for turn, part in parts.items():
                    part.load_state_dict(state[name][turn])
            self.scaler.load_state_dict(state["scaler"])
            self.step, self.stale = state["step"], state["stale"]
            self.best = [(value, name) for value, name in state["best"]]
        except _DAMAGE as error:
            raise CheckpointError(
                f"{path}: not a state of this run ({_first_line(error)}): "
                "use the run's own settings, or another --out"
            ) from error

    def _parts(self) -> dict[str, Mapping[str, Any]]:
        return {
            "networks": self.networks,
            "averages": self.averages,
            "optimisers": self.optimisers,
        }


def fresh_state(
    networks: Mapping[str, nn.Module], settings: LoopSettings, device: torch.device
) -> RunState:
    """Return the state before the first step."""
    optimisers = {
        turn: torch.optim.AdamW(network.parameters(), settings.learning_rate)
        for turn, network in networks.items()
    }
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    return RunState(networks, optimisers, scaler)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
