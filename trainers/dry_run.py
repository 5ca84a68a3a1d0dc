"""What a run would be, found out by taking steps of it: `audiofix train --dry-run`."""

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.distributed import World
from audiofix.trainers.ema import ema_copy
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.progress import no_bar
from audiofix.trainers.recipe import Recipe
from audiofix.trainers.run_state import fresh_state
from audiofix.trainers.turns import Turns

_WARM_UP_STEPS = 2
"""They also load libraries and decode files, and do not count."""

_SECONDS = 10.0
_MOST_STEPS = 20
"""Steps are timed until either is reached."""


def dry_run(
    recipe: Recipe, settings: LoopSettings, *, processes: int = 1
) -> Iterator[tuple[str, str]]:
    """Yield names and values: data, networks, time, memory. Nothing is written.

    Args:
        recipe: is used up: its networks are trained a little.
        settings: of the run.
        processes: among which the run would be shared out; this one tries its share.

    Raises:
        SettingsError: the batch cannot be shared out evenly.
    """
    settings.check_shares(processes)
    for name, found in (("training", recipe.training), ("held-out", recipe.held_out)):
        minutes = sum(recording.duration for recording in found) / 60
        yield f"{name} recordings", f"{len(found)}, {minutes:.1f} minutes"
    for name, network in recipe.networks.items():
        yield f"{name} parameters", f"{sum(p.numel() for p in network.parameters()):,}"
    device = recipe.device
    yield "device", f"{device}, {settings.precision}"
    yield "steps", f"{settings.steps:,} of {settings.batch} items"
    recipe.prepare(no_bar)
    step_seconds = _step_seconds(recipe, replace(settings, batch=settings.batch // processes))
    validation_seconds = _validation_seconds(recipe)
    yield "seconds a step", f"{step_seconds:.3g}"
    yield "seconds a validation", f"{validation_seconds:.3g}"
    validations = settings.steps // settings.validate_every + 1
    seconds = step_seconds * settings.steps + validation_seconds * validations
    yield "time for all steps", f"{seconds / 3600:.2f} hours, {validations} validations included"
    yield "memory at its peak", f"{_peak_bytes() / 1e9:.1f} GB"
    if device.type == "cuda":
        yield "GPU memory at its peak", f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB"


def _step_seconds(recipe: Recipe, settings: LoopSettings) -> float:
    state = fresh_state(recipe, settings)
    turns = Turns(recipe, settings, World())
    seconds: list[float] = []
    with Batches(recipe.item, settings, World(), recipe.device) as batches:
        while len(seconds) < _MOST_STEPS and sum(seconds) < _SECONDS:
            start = time.perf_counter()
            turns.step(state, batches.parts(state.step))
            _finish(recipe.device)
            seconds.append(time.perf_counter() - start)
    counted = seconds[_WARM_UP_STEPS:] or seconds[-1:]
    return sum(counted) / len(counted)


def _validation_seconds(recipe: Recipe) -> float:
    start = time.perf_counter()
    with torch.inference_mode():
        recipe.validate({name: ema_copy(network) for name, network in recipe.networks.items()})
    _finish(recipe.device)
    return time.perf_counter() - start


def _finish(device: torch.device) -> None:
    """Wait for what the device still computes."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
