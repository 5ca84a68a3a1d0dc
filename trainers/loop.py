"""The one training loop. A recipe says what is special about a model; see `recipe.Recipe`."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.progress import Bar, Tick, no_bar
from audiofix.trainers.recipe import TOTAL, Recipe
from audiofix.trainers.run_folder import remove_unfinished, writing_to
from audiofix.trainers.run_log import LOG_FILE, Example, RunLog, drop_later_lines
from audiofix.trainers.run_state import STATE_FILE, RunState, fresh_state
from audiofix.trainers.stop_request import StopRequest
from audiofix.trainers.turns import Turns

from audiofix.errors import SettingsError

RESULT_FILE = "last.safetensors"

log = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    run: Path,
    settings: LoopSettings,
    *,
    until: int | None = None,
    world: World | None = None,
    stop: StopRequest | None = None,
    bar: Bar = no_bar,
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
        world: the processes of the run, from `distributed.joined`; None for this one alone.
        stop: tells of signals; None to listen for them here.
        bar: shows how far the run is.

    Raises:
        SettingsError: the batch cannot be shared out evenly, or the run diverged.
        CheckpointError: the folder holds the state of another run, or a damaged one.
        OutputError: the folder cannot be written to.
        DeviceError: another process of the run is lost.
    """
    recipe.world = world = world or World(device=recipe.device)
    settings.check_shares(world.size)
    settings.check_networks(recipe.networks)
    with stop or StopRequest() as request:
        state = _begun(recipe, run, settings, world, bar)
        run_log = _opened_log(run, settings, state) if world.is_main else None
        try:
            _Training(recipe, run, settings, world, state, run_log, request).go(until, bar)
        finally:
            if run_log:
                run_log.close()
        request.obey()
    return state


def _begun(recipe: Recipe, run: Path, settings: LoopSettings, world: World, bar: Bar) -> RunState:
    """Return the state that the run goes on from: the main process's, in all processes."""
    resumed = world.is_main and (run / STATE_FILE).exists()
    if world.is_main and not resumed:
        recipe.prepare(bar)
    state = fresh_state(recipe, settings)
    if world.is_main:
        with writing_to(run):
            run.mkdir(parents=True, exist_ok=True)
            remove_unfinished(run)
    if resumed:
        state.load(run)
        log.info("%s: going on from step %d", run, state.step)
    if world.size > 1:
        state.load_state_dict(world.broadcast(state.state_dict()))
    return state


def _opened_log(run: Path, settings: LoopSettings, state: RunState) -> RunLog:
    with writing_to(run):
        drop_later_lines(run / LOG_FILE, state.step)
        return RunLog(
            run,
            pictures=bool(settings.examples),
            tensorboard=settings.tensorboard,
            wandb=settings.wandb,
            after=state.step,
        )


@dataclass(slots=True)
class _Training:
    """One call of `train`."""

    recipe: Recipe
    run: Path
    settings: LoopSettings
    world: World
    state: RunState
    run_log: RunLog | None
    """The main process's; the others write nothing."""
    stop: StopRequest
    notes: dict[str, str] = field(default_factory=dict)
    """What stands beside the bar."""

    def go(self, until: int | None, bar: Bar) -> None:
        settings, state = self.settings, self.state
        end = settings.steps if until is None else min(until, settings.steps)
        turns = Turns(self.recipe, settings, self.world)
        with (
            bar(f"train {self.run.name}", settings.steps, " steps", state.step) as tick,
            Batches(self.recipe.item, settings, self.world, self.recipe.device) as batches,
        ):
            if state.step == 0:
                self._tell(self._validated())
                self._show({}, tick)
            self.world.wait_for_all()
            since, first = time.monotonic(), state.step
            stopping = False
            while state.step < end and not stopping and not self._has_lost_patience():
                figures = turns.step(state, batches.parts(state.step))
                self._show(figures, tick)
                if self.run_log and state.step % settings.log_every == 0:
                    speed = (state.step - first) * settings.batch / (time.monotonic() - since)
                    with writing_to(self.run):
                        self.run_log.numbers(state.step, {**figures, "items_per_second": speed})
                stopping = self.world.any(self.stop.came)
                self._keep(last=stopping or state.step == end)
        if stopping and self.world.is_main:
            log.warning(
                "%s: stopped after step %d of %d, which is saved: go on with --resume",
                self.run, state.step, settings.steps,
            )  # fmt: skip

    def _show(self, figures: Mapping[str, float], tick: Tick | None) -> None:
        if tick:
            for network in self.recipe.networks:
                loss = figures.get(f"{network}.{TOTAL}")
                if loss is not None:
                    self.notes[network] = f"{loss:.4g}"
            tick(self.state.step, ", ".join(f"{name} {note}" for name, note in self.notes.items()))

    def _keep(self, *, last: bool) -> None:
        """Validate and save where it is time. All validate; one saves, the others wait."""
        settings, state = self.settings, self.state
        validating = state.step % settings.validate_every == 0 or state.step == settings.steps
        if not (validating or last or state.step % settings.save_every == 0):
            return
        if validating:
            self._validate()
        if self.run_log:
            with writing_to(self.run):
                self.recipe.export(state.ema, self.run / RESULT_FILE)
                # The state comes after what it speaks of: what a kill prevents is done again.
                state.save(self.run)
                kept = {name for _, name in state.best}
                for path in self.run.glob("best-*.safetensors"):
                    if path.name not in kept:
                        path.unlink()
        self.world.wait_for_all()

    def _validate(self) -> None:
        settings, state = self.settings, self.state
        figures = self._validated()
        self._tell(figures)
        value = figures[self.recipe.monitor]
        if not math.isfinite(value):
            raise SettingsError(
                f"step {state.step}: validation {self.recipe.monitor} is {value}: "
                "lower the learning rates of loop.optimisers or loop.max_grad_norm"
            )
        state.stale = 0 if not state.best or value < state.best[0][0] else state.stale + 1
        name = f"best-{state.step}.safetensors"
        state.best = sorted([*state.best, (value, name)])[: settings.keep_best]
        if self.run_log and (value, name) in state.best:
            with writing_to(self.run):
                self.recipe.export(state.ema, self.run / name)

    def _validated(self) -> Mapping[str, float]:
        with torch.inference_mode():
            return self.recipe.validate(self.state.ema)

    def _tell(self, figures: Mapping[str, float]) -> None:
        """Write a validation's figures, and the examples of all processes."""
        settings, state, monitor = self.settings, self.state, self.recipe.monitor
        log.info("step %d: validation %s %.4f", state.step, monitor, figures[monitor])
        self.notes[f"validation {monitor}"] = f"{figures[monitor]:.4g}"
        examples: Sequence[Example] = ()
        if settings.examples:
            with torch.inference_mode():
                examples = self.recipe.examples(state.ema, settings.examples)
            examples = self.world.gathered({"examples": examples})["examples"]
        if self.run_log:
            with writing_to(self.run):
                self.run_log.numbers(state.step, {f"validation.{k}": v for k, v in figures.items()})
                for example in examples:
                    self.run_log.example(state.step, example)

    def _has_lost_patience(self) -> bool:
        """Tell whether to stop early, the same in all processes."""
        patience = self.settings.patience
        return patience > 0 and self.world.any(self.state.stale >= patience)
