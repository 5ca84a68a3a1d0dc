"""A recipe of two tiny networks on drawn numbers: the whole loop in milliseconds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.recipe import TOTAL, Recipe, TurnResult
from audiofix.trainers.run_log import Example
from safetensors.torch import save
from torch import nn


class ToyRecipe(Recipe):
    """A filter that learns to double, and a discriminator that learns to tell its results."""

    device = torch.device("cpu")
    training = ()
    held_out = ()
    monitor = "error"

    def __init__(self, *, dropout: float = 0.0, fail_at: int | None = None, nan_at: int = -1):
        torch.manual_seed(3)
        filter_ = nn.Sequential(nn.Linear(8, 8), nn.Dropout(dropout), nn.Linear(8, 8))
        self.networks = {"generator": filter_, "discriminator": nn.Linear(8, 1)}
        self.fail_at, self.nan_at, self.steps = fail_at, nan_at, 0
        self.errors: Sequence[float] = ()
        self.modes: list[bool] = []
        self.seen = 0.0

    def item(self, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        if self.fail_at is not None:
            raise ValueError(f"item {self.fail_at} is broken")
        x = generator.standard_normal(8).astype(np.float32)
        return {"x": x, "y": 2 * x}

    def losses(self, turn, batch):
        if turn.network == "generator":
            self.steps += 1
            made = self.networks["generator"](batch["x"])
            error = (made.float() - batch["y"]).square().mean()
            if self.steps == self.nan_at:
                error = error * torch.nan
            trick = -self.networks["discriminator"](made).float().mean()
            return TurnResult({"error": error, TOTAL: error + 0.01 * trick}, made)
        discriminator = self.networks["discriminator"]
        difference = discriminator(turn.fake) - discriminator(batch["y"])
        return TurnResult({TOTAL: difference.float().square().mean()})

    def adapt(self, step, figures):
        self.seen += figures["generator.error"]

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]

    def validate(self, networks):
        self.modes.append(any(network.training for network in networks.values()))
        x = torch.ones(1, 8)
        error = (networks["generator"](x) - 2 * x).square().mean().item()
        if self.errors:
            error, *self.errors = self.errors
        return {"error": error}

    def examples(self, networks, count):
        sound = np.zeros((1, 4800), np.float32)
        return [Example(f"clip{place}", 48000, {"estimate": sound}) for place in range(count)]

    def export(self, networks, path: Path):
        path.write_bytes(save(networks["generator"].state_dict()))


def weights(networks: Mapping[str, nn.Module]) -> torch.Tensor:
    """Return all parameters and buffers in one row."""
    parts = [t.flatten().float() for net in networks.values() for t in net.state_dict().values()]
    return torch.cat(parts)
