"""The one training loop. A recipe says what is special about a model; see `Recipe`."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Protocol

import numpy as np
import torch
from audiofix.trainers.averages import follow
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.distributed import Team, anyone, average_gradients, team, wait_for_all
from audiofix.trainers.journal import LOG_FILE, Example, Journal
from audiofix.trainers.run_state import STATE_FILE, RunState, forget_later_lines
from audiofix.trainers.schedules import LearningRate, Shape, learning_share
from torch import Tensor, nn

from audiofix.errors import SettingsError

log = logging.getLogger(__name__)

Item = Mapping[str, np.ndarray[Any, Any]]
Batch = dict[str, Tensor]
Losses = Mapping[str, Tensor]

TOTAL = "total"
"""The loss that is minimised; the others of a turn are only logged."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What every recipe has in common.

    Attributes:
        steps: of the whole run.
        batch: items a step, over all processes and accumulated parts.
        accumulate: parts that a process cuts its share of a batch into, to save memory.
        seed: of weights and data.
        learning_rate: at its highest.
        betas: of AdamW.
        weight_decay: of AdamW.
        warm_up: steps of rising learning rate.
        schedule: what follows.
        floor: the learning rate's share at the end.
        milestones: steps at each of which the schedule `steps` halves the learning rate.
        discriminator: its learning rate, where it has one of its own.
        average_decay: of the moving average that is validated and exported.
        gradient_limit: largest norm of a turn's gradient, 0 for no limit.
        precision: of the forward pass.
        workers: threads that prepare items.
        log_every: steps between lines of the log.
        save_every: steps between states on disk.
        validate_every: steps between validations.
        keep_best: checkpoints to keep of the best validations.
        patience: validations without a better one after which the run ends, 0 for never.
        examples: validation clips written as sounds and pictures at each validation.
        tensorboard: whether to write TensorBoard's event files.
        wandb: project to report to at Weights & Biases, empty for none.
    """

    steps: int = 1000
    batch: int = 4
    accumulate: int = 1
    seed: int = 1
    learning_rate: float = 1e-3
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.0
    warm_up: int = 100
    schedule: Shape = "cosine"
    floor: float = 0.01
    milestones: tuple[int, ...] = ()
    discriminator: LearningRate | None = None
    average_decay: float = 0.998
    gradient_limit: float = 1.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    workers: int = 1
    log_every: int = 20
    save_every: int = 500
    validate_every: int = 500
    keep_best: int = 1
    patience: int = 0
    examples: int = 0
    tensorboard: bool = False
    wandb: str = ""


class Recipe(Protocol):
    """What makes one model's training different from another's.

    A step takes one batch and gives every network its turn, in order: first the generator, say,
    then the discriminator. Only the network whose turn it is has gradients.
    """

    networks: Mapping[str, nn.Module]
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


def train(
    recipe: Recipe,
    run: Path,
    settings: LoopSettings,
    *,
    device: torch.device,
    until: int | None = None,
    tick: Callable[[float], None] | None = None,
) -> RunState:
    """Train from the state in `run`, or from nothing, to the end.

    Stopping at any time, by SIGKILL too, and calling again gives the same weights as not stopping.
    SIGTERM and Ctrl-C are obeyed after the step, with the state saved.

    Args:
        recipe: what is trained, with its networks on `device`.
        run: the run's folder.
        settings: the loop's.
        device: where the networks are.
        until: stop after so many steps, as if interrupted; None for all.
        tick: is told the steps done.

    Raises:
        SettingsError: the batch cannot be shared out evenly.
        CheckpointError: the folder holds the state of another run.
    """
    run.mkdir(parents=True, exist_ok=True)
    with team(device) as own:
        _check(settings, own)
        state = _fresh_state(recipe, settings, device)
        if (run / STATE_FILE).exists():
            state.load(run, device)
            log.info("%s: going on from step %d", run, state.step)
        journal = None
        if own.leads:
            forget_later_lines(run / LOG_FILE, state.step)
            journal = Journal(run, tensorboard=settings.tensorboard, wandb=settings.wandb)
        try:
            _Training(recipe, run, settings, device, own, state, journal).go(until, tick)
        finally:
            if journal:
                journal.close()
    return state


def _check(settings: LoopSettings, own: Team) -> None:
    parts = own.size * settings.accumulate
    if settings.batch % parts:
        raise SettingsError(
            f"loop.batch: {settings.batch}: must be a multiple of {parts} "
            "(processes times loop.accumulate)"
        )


def _fresh_state(recipe: Recipe, settings: LoopSettings, device: torch.device) -> RunState:
    first, second = settings.betas
    optimisers = {
        turn: torch.optim.AdamW(
            network.parameters(),
            settings.learning_rate,
            betas=(first, second),
            weight_decay=settings.weight_decay,
        )
        for turn, network in recipe.networks.items()
    }
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    return RunState(recipe.networks, optimisers, scaler)


@dataclass
class _Training:
    """One call of `train`."""

    recipe: Recipe
    run: Path
    settings: LoopSettings
    device: torch.device
    own: Team
    state: RunState
    journal: Journal | None

    def go(self, until: int | None, tick: Callable[[float], None] | None) -> None:
        settings, state = self.settings, self.state
        end = settings.steps if until is None else min(until, settings.steps)
        since, first = time.monotonic(), state.step
        with _asked_to_stop() as stop, ThreadPoolExecutor(settings.workers) as workers:
            coming = self._order(workers, state.step)
            while state.step < end and not self._has_lost_patience():
                batches = [collated(part, self.device) for part in _parts(coming, settings)]
                coming = self._order(workers, state.step + 1)
                losses = self._step(batches)
                state.step += 1
                if tick:
                    tick(state.step)
                if self.journal and state.step % settings.log_every == 0:
                    speed = (state.step - first) * settings.batch / (time.monotonic() - since)
                    self.journal.numbers(state.step, {**losses, "items_per_second": speed})
                stopping = anyone(bool(stop), self.own.size, self.device)
                self._keep(stopping or state.step == end)
                if stopping:
                    break
            for future in coming:
                future.cancel()
        if stop:
            signal.raise_signal(stop[0])

    def _order(self, workers: ThreadPoolExecutor, step: int) -> list[Future[Item]]:
        batch, seed = self.settings.batch, self.settings.seed
        numbers = self.own.share(range(step * batch, (step + 1) * batch))
        return [
            workers.submit(self.recipe.item, np.random.default_rng([seed, number]))
            for number in numbers
        ]

    def _step(self, batches: Sequence[Batch]) -> dict[str, float]:
        settings, state = self.settings, self.state
        torch.manual_seed(_torch_seed(settings.seed, state.step, self.own.rank))
        found: dict[str, float] = {}
        for turn, network in state.networks.items():
            for other, one in state.networks.items():
                one.train().requires_grad_(other == turn)
            optimiser = state.optimisers[turn]
            rate = self._learning_rate(turn)
            found.setdefault("learning_rate", rate)
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad()
            for batch in batches:
                with self._autocast():
                    losses = self.recipe.losses(turn, batch)
                state.scaler.scale(losses[TOTAL] / len(batches)).backward()
                for name, loss in losses.items():
                    key = f"{turn}.{name}"
                    found[key] = found.get(key, 0.0) + loss.item() / len(batches)
            average_gradients(network.parameters(), self.own.size)
            state.scaler.unscale_(optimiser)
            if settings.gradient_limit:
                torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_limit)
            state.scaler.step(optimiser)
            state.scaler.update()
            follow(state.averages[turn], network, state.step, settings.average_decay)
        return found

    def _learning_rate(self, turn: str) -> float:
        settings = self.settings
        own = (settings.discriminator if turn == "discriminator" else None) or settings
        share = learning_share(
            self.state.step,
            settings.steps,
            warm_up=own.warm_up,
            floor=own.floor,
            shape=own.schedule,
            milestones=own.milestones,
        )
        return share * own.learning_rate

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.settings.precision == "fp16" else torch.bfloat16
        enabled = self.settings.precision != "fp32"
        return torch.autocast(self.device.type, dtype, enabled=enabled)

    def _keep(self, last: bool) -> None:
        """Validate and save where it is time. Every process waits; one does the work."""
        settings, state = self.settings, self.state
        finished = state.step == settings.steps
        validating = state.step % settings.validate_every == 0 or finished
        if not (validating or last or state.step % settings.save_every == 0):
            return
        if self.journal:
            if validating:
                self._validate(self.journal)
            state.save(self.run)
            if finished:
                self.recipe.export(state.averages, self.run / "last.safetensors")
        wait_for_all(self.own.size)

    def _validate(self, journal: Journal) -> None:
        settings, state = self.settings, self.state
        with torch.inference_mode():
            figures = self.recipe.validate(state.averages)
            journal.numbers(state.step, {f"validation.{k}": v for k, v in figures.items()})
            if settings.examples:
                for example in self.recipe.examples(state.averages, settings.examples):
                    journal.example(state.step, example)
        value = figures[self.recipe.monitor]
        log.info("step %d: validation %s %.4f", state.step, self.recipe.monitor, value)
        state.stale = 0 if not state.best or value < state.best[0][0] else state.stale + 1
        name = f"best-{state.step}.safetensors"
        ranked = sorted([*state.best, (value, name)])
        state.best = ranked[: settings.keep_best]
        for _, dropped in ranked[settings.keep_best :]:
            (self.run / dropped).unlink(missing_ok=True)
        if (value, name) in state.best:
            self.recipe.export(state.averages, self.run / name)

    def _has_lost_patience(self) -> bool:
        return bool(self.settings.patience) and self.state.stale >= self.settings.patience


def _torch_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0] >> 1)


def _parts(futures: Sequence[Future[Item]], settings: LoopSettings) -> Iterator[list[Item]]:
    items = [future.result() for future in futures]
    size = len(items) // settings.accumulate
    for first in range(0, len(items), size):
        yield items[first : first + size]


def collated(items: Sequence[Item], device: torch.device) -> Batch:
    """Return items as one batch on the device, their numbers stacked along a new first axis."""
    return {
        name: torch.from_numpy(np.stack([item[name] for item in items])).to(device)
        for name in items[0]
    }


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Yield a list that the first SIGTERM or SIGINT puts its number into."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
