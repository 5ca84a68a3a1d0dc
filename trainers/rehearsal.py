"""What a run would be, found out by doing a step of it: `audiofix train --dry-run`."""

import resource
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from audiofix.trainers.loop import TOTAL, LoopSettings, Recipe, collated

_TIMED_STEPS = 2


def rehearse(
    recipe: Recipe, settings: LoopSettings, device: torch.device
) -> Iterator[tuple[str, Any]]:
    """Yield names and values: data, networks, memory, time. Nothing is written or kept."""
    for split in ("training", "held_out"):
        found = getattr(recipe, split)
        seconds = sum(recording.duration for recording in found)
        yield f"{split.replace('_', ' ')} recordings", f"{len(found)}, {seconds / 60:.1f} minutes"
    for turn, network in recipe.networks.items():
        yield f"{turn} parameters", f"{sum(p.numel() for p in network.parameters()):,}"
    yield "device", str(device)
    size = settings.batch // settings.accumulate
    seconds = []
    for number in range(_TIMED_STEPS):
        start = time.perf_counter()
        for _ in range(settings.accumulate):
            draws = [np.random.default_rng([number, place]) for place in range(size)]
            batch = collated([recipe.item(draw) for draw in draws], device)
            for turn, network in recipe.networks.items():
                for other, one in recipe.networks.items():
                    one.train().requires_grad_(other == turn)
                recipe.losses(turn, batch)[TOTAL].backward()
                network.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    yield "seconds a step", f"{min(seconds):.2f}"
    yield "hours for all steps", f"{min(seconds) * settings.steps / 3600:.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    yield "memory", f"{peak:.1f} GB"
    if device.type == "cuda":
        yield "GPU memory", f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB"
