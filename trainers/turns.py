"""One step of training: every network of a recipe has its turn at the batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from audiofix.trainers.averages import follow
from audiofix.trainers.distributed import Team, average_gradients
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import TOTAL, Batch, Recipe
from audiofix.trainers.run_state import RunState
from audiofix.trainers.schedules import LearningRate, learning_share

from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes the steps of a run."""

    recipe: Recipe
    settings: LoopSettings
    own: Team

    def step(self, state: RunState, parts: Sequence[Batch]) -> dict[str, float]:
        """Take one step and return its learning rate, losses and norms of gradients.

        Args:
            state: is moved one step on.
            parts: this process's share of the batch.

        Raises:
            SettingsError: a loss or a gradient is not finite.
        """
        settings = self.settings
        # Layers that draw (drop-path) use torch's own generator. Seeded by the step's number, it
        # needs no place in the state.
        torch.manual_seed(_seed(settings.seed, state.step, self.own.rank))
        found = {"learning_rate": self._learning_rate(state.step, settings)}
        for turn in state.networks:
            found |= self._turn(state, turn, parts)
        state.scaler.update()
        for turn, network in state.networks.items():
            follow(state.averages[turn], network, state.step, settings.average_decay)
        state.step += 1
        return found

    def _turn(self, state: RunState, turn: str, parts: Sequence[Batch]) -> dict[str, float]:
        for other, network in state.networks.items():
            network.train().requires_grad_(other == turn)
        optimiser = state.optimisers[turn]
        optimiser.zero_grad()
        found: dict[str, float] = {}
        for batch in parts:
            with self._autocast():
                losses = self.recipe.losses(turn, batch)
            state.scaler.scale(losses[TOTAL] / len(parts)).backward()
            for name, loss in losses.items():
                key = f"{turn}.{name}"
                found[key] = found.get(key, 0.0) + loss.item() / len(parts)
        parameters = list(state.networks[turn].parameters())
        average_gradients(parameters, self.own.size)
        state.scaler.unscale_(optimiser)
        limit = self.settings.gradient_limit or math.inf
        found[f"{turn}.gradient"] = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
        self._check(state, turn, found)
        own = (self.settings.discriminator if turn == "discriminator" else None) or self.settings
        learning_rate = self._learning_rate(state.step, own)
        for group in optimiser.param_groups:
            # All of them at every step: a resumed run obeys its settings, not its state's.
            group["lr"] = learning_rate
            group["betas"] = self.settings.betas
            group["weight_decay"] = self.settings.weight_decay
        state.scaler.step(optimiser)
        return found

    def _learning_rate(self, step: int, rate: LearningRate | LoopSettings) -> float:
        share = learning_share(
            step,
            self.settings.steps,
            warm_up=rate.warm_up,
            floor=rate.floor,
            shape=rate.schedule,
            milestones=rate.milestones,
        )
        return share * rate.learning_rate

    def _check(self, state: RunState, turn: str, found: dict[str, float]) -> None:
        """Refuse to go on with weights that the next update would spoil.

        In fp16 the scaler leaves out an update that overflows and lowers its scale; there the run
        has failed when nothing is left to lower.
        """
        if state.scaler.is_enabled() and state.scaler.get_scale() >= 1:
            return
        for name in (f"{turn}.{TOTAL}", f"{turn}.gradient"):
            if not math.isfinite(found[name]):
                raise SettingsError(
                    f"step {state.step + 1}: {name} is {found[name]}, and the weights were left "
                    "as they were: go on from the last state with a lower loop.learning_rate or "
                    "loop.gradient_limit"
                )

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.settings.precision == "fp16" else torch.bfloat16
        enabled = self.settings.precision != "fp32"
        return torch.autocast(self.recipe.device.type, dtype, enabled=enabled)


def _seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0] >> 1)
