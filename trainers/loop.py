"""The one training loop. A recipe says what is special about a model; see `recipe.Recipe`."""

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.distributed import World, joined
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Recipe
from audiofix.trainers.run_log import LOG_FILE, RunLog, drop_later_lines
from audiofix.trainers.run_state import STATE_FILE, RunState, fresh_state
from audiofix.trainers.turns import Turns

from audiofix.errors import SettingsError

RESULT_FILE = "last.safetensors"

log = logging.getLogger(__name__)

Tick = Callable[[float], None]


def train(
    recipe: Recipe,
    run: Path,
    settings: LoopSettings,
    *,
    until: int | None = None,
    tick: Tick | None = None,
) -> RunState:
    """Train from the state in `run`, or from nothing, to the end.

    Stopping at any time, by SIGKILL too, and calling again gives the same weights as not stopping,
    to the bit where the device computes so. SIGTERM and Ctrl-C are obeyed after the step, with the
    state saved.

    Args:
        recipe: what is trained.
        run: the run's folder.
        settings: the loop's.
        until: stop after so many steps, as if interrupted; None for all.
        tick: is told how many items are done.

    Raises:
        SettingsError: the batch cannot be shared out evenly, or the run diverged.
        CheckpointError: the folder holds the state of another run.
    """
    run.mkdir(parents=True, exist_ok=True)
    with joined(recipe.device) as world:
        settings.check_shares(world.size)
        state = fresh_state(recipe, settings)
        if (run / STATE_FILE).exists():
            state.load(run, recipe.device)
            log.info("%s: going on from step %d", run, state.step)
        run_log = None
        if world.is_main:
            drop_later_lines(run / LOG_FILE, state.step)
            run_log = RunLog(
                run,
                pictures=bool(settings.examples),
                tensorboard=settings.tensorboard,
                wandb=settings.wandb,
                after=state.step,
            )
        try:
            _Training(recipe, run, settings, world, state, run_log).go(until, tick)
        finally:
            if run_log:
                run_log.close()
    return state


@dataclass(frozen=True, slots=True)
class _Training:
    """One call of `train`."""

    recipe: Recipe
    run: Path
    settings: LoopSettings
    world: World
    state: RunState
    run_log: RunLog | None
    """The main process's; the others write nothing."""

    def go(self, until: int | None, tick: Tick | None) -> None:
        settings, state = self.settings, self.state
        end = settings.steps if until is None else min(until, settings.steps)
        turns = Turns(self.recipe, settings, self.world)
        since, first = time.monotonic(), state.step
        with (
            _asked_to_stop() as stop,
            Batches(self.recipe.item, settings, self.world, self.recipe.device) as batches,
        ):
            stopping = False
            while state.step < end and not stopping and not self._has_lost_patience():
                figures = turns.step(state, batches.parts(state.step))
                if tick:
                    tick(state.step * settings.batch)
                if self.run_log and state.step % settings.log_every == 0:
                    speed = (state.step - first) * settings.batch / (time.monotonic() - since)
                    self.run_log.numbers(state.step, {**figures, "items_per_second": speed})
                stopping = self._anyone(bool(stop))
                self._keep(last=stopping or state.step == end)
        if stop:
            signal.raise_signal(stop[0])

    def _keep(self, *, last: bool) -> None:
        """Validate and save where it is time. Every process waits; one does the work."""
        settings, state = self.settings, self.state
        validating = state.step % settings.validate_every == 0 or state.step == settings.steps
        if not (validating or last or state.step % settings.save_every == 0):
            return
        if self.run_log:
            if validating:
                self._validate(self.run_log)
            self.recipe.export(state.ema, self.run / RESULT_FILE)
            # The state comes after what it speaks of: what a kill prevents here is done again.
            state.save(self.run)
            kept = {name for _, name in state.best}
            for path in self.run.glob("best-*.safetensors"):
                if path.name not in kept:
                    path.unlink()
        self.world.wait_for_all()

    def _validate(self, run_log: RunLog) -> None:
        settings, state = self.settings, self.state
        with torch.inference_mode():
            figures = self.recipe.validate(state.ema)
            run_log.numbers(state.step, {f"validation.{k}": v for k, v in figures.items()})
            if settings.examples:
                for example in self.recipe.examples(state.ema, settings.examples):
                    run_log.example(state.step, example)
        value = figures[self.recipe.monitor]
        if not math.isfinite(value):
            raise SettingsError(
                f"step {state.step}: validation {self.recipe.monitor} is {value}: "
                "lower the learning rates of loop.optimisers or loop.max_grad_norm"
            )
        log.info("step %d: validation %s %.4f", state.step, self.recipe.monitor, value)
        state.stale = 0 if not state.best or value < state.best[0][0] else state.stale + 1
        name = f"best-{state.step}.safetensors"
        state.best = sorted([*state.best, (value, name)])[: settings.keep_best]
        if (value, name) in state.best:
            self.recipe.export(state.ema, self.run / name)

    def _has_lost_patience(self) -> bool:
        """Tell whether to stop early. Only the main process validates, so the others ask it."""
        patience = self.settings.patience
        return patience > 0 and self._anyone(self.state.stale >= patience)

    def _anyone(self, wish: bool) -> bool:
        return self.world.any(wish, self.recipe.device)


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Yield a list that a SIGTERM or SIGINT puts its number into."""
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
