"""What a run would be, found out by taking steps of it: `audiofix train --dry-run`."""

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import Recipe
from audiofix.trainers.run_state import fresh_state
from audiofix.trainers.turns import Turns

_STEPS = 3
"""The first ones also load libraries and decode files; the quickest counts."""


def dry_run(
    recipe: Recipe, settings: LoopSettings, *, processes: int = 1
) -> Iterator[tuple[str, str]]:
    """Yield names and values: data, networks, time, memory. Nothing is written.

    Args:
        recipe: is used up: its networks are trained a little.
        settings: of the run.
        processes: among which the run would be shared out; this one rehearses its share.

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
    seconds = _seconds(recipe, replace(settings, batch=settings.batch // processes))
    yield "seconds a step", f"{seconds:.2f}"
    yield "hours for all steps", f"{seconds * settings.steps / 3600:.2f}, validation not counted"
    yield "memory at its peak", f"{_peak_bytes() / 1e9:.1f} GB"
    if device.type == "cuda":
        yield "GPU memory at its peak", f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB"


def _seconds(recipe: Recipe, settings: LoopSettings) -> float:
    device = recipe.device
    state = fresh_state(recipe, settings)
    turns = Turns(recipe, settings, World())
    seconds = []
    with Batches(recipe.item, settings, World(), device) as batches:
        for step in range(_STEPS):
            start = time.perf_counter()
            turns.step(state, batches.parts(step))
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
