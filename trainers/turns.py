"""One step of training: the networks of a recipe have their turns at the batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from audiofix.trainers.distributed import World
from audiofix.trainers.ema import update_ema
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import follow_schedule
from audiofix.trainers.recipe import TOTAL, Batch, Recipe, Turn
from audiofix.trainers.run_state import RunState
from torch import Tensor

from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes the steps of a run."""

    recipe: Recipe
    settings: LoopSettings
    world: World

    def step(self, state: RunState, parts: Sequence[Batch]) -> dict[str, float]:
        """Take one step and return its losses, norms of gradients and learning rates.

        The figures are means over all processes.

        Args:
            state: is moved one step on.
            parts: this process's share of the batch.

        Raises:
            SettingsError: a loss or a gradient is not finite.
        """
        settings, step = self.settings, state.step
        # Layers that draw (drop-path) use torch's own generator. Seeded by the step's number, it
        # needs no place in the state.
        torch.manual_seed(_seed(settings.seed, step, self.world.rank))
        fakes: list[Tensor | None] = [None] * len(parts)
        figures: dict[str, float] = {}
        for network in self.recipe.turns(step, np.random.default_rng([settings.seed, step])):
            figures |= self._turn(state, network, parts, fakes)
        state.scaler.update()
        self.world.average_buffers(state.networks.values())
        if (step + 1) % settings.ema_every == 0:
            for name, trained in state.networks.items():
                update_ema(state.ema[name], trained, step, settings.ema_decay)
        self.recipe.adapt(step, figures)
        state.step += 1
        return figures

    def _turn(
        self, state: RunState, name: str, parts: Sequence[Batch], fakes: list[Tensor | None]
    ) -> dict[str, float]:
        """Train one network, leave what it made in `fakes`, and return the turn's figures."""
        for other, network in state.networks.items():
            network.train().requires_grad_(other == name)
        optimiser = state.optimisers[name]
        optimiser.zero_grad()
        figures: dict[str, float] = {}
        for place, batch in enumerate(parts):
            with self._autocast():
                result = self.recipe.losses(Turn(name, state.step, fakes[place]), batch)
            if result.fake is not None:
                fakes[place] = result.fake.detach()
            state.scaler.scale(result.losses[TOTAL] / len(parts)).backward()
            for loss, value in result.losses.items():
                key = f"{name}.{loss}"
                figures[key] = figures.get(key, 0.0) + value.item() / len(parts)
        parameters = list(state.networks[name].parameters())
        self.world.average_gradients(parameters)
        figures = self.world.mean(figures)
        state.scaler.unscale_(optimiser)
        limit = self.settings.max_grad_norm or math.inf
        figures[f"{name}.grad_norm"] = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
        self._check(state, name, figures)
        own = self.settings.optimiser(name)
        rate = follow_schedule(optimiser, own, state.step, self.settings.steps)
        figures[f"{name}.learning_rate"] = rate
        state.scaler.step(optimiser)
        return figures

    def _check(self, state: RunState, network: str, figures: dict[str, float]) -> None:
        """Refuse to go on with weights that the next update would spoil.

        In fp16 the scaler leaves out an update that overflows and lowers its scale; there the run
        has failed when nothing is left to lower.
        """
        if state.scaler.is_enabled() and state.scaler.get_scale() >= 1:
            return
        for name in (f"{network}.{TOTAL}", f"{network}.grad_norm"):
            if not math.isfinite(figures[name]):
                raise SettingsError(
                    f"step {state.step + 1}: {name} is {figures[name]}, and the weights were left "
                    f"as they were: go on from the last state with a lower "
                    f"loop.optimisers.{network}.rate or loop.max_grad_norm"
                )

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.settings.precision == "fp16" else torch.bfloat16
        enabled = self.settings.precision != "fp32"
        return torch.autocast(self.recipe.device.type, dtype, enabled=enabled)


def _seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0] >> 1)
