"""The learning rate over the steps of a run."""

import math
from dataclasses import dataclass
from typing import Literal

from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """How a learning rate changes over a run.

    Attributes:
        warmup_steps: steps over which it rises linearly to its full value.
        schedule: what follows: a half `cosine` down to `min_lr_ratio`, `constant`, `step` (times
            `gamma` every `step_size` steps), or `multistep` (times `gamma` at each milestone).
        min_lr_ratio: the part of the full learning rate that the cosine ends at.
        gamma: the factor of `step` and `multistep`.
        step_size: steps between two of the factors of `step`.
        milestones: steps at which `multistep` takes its factor.
        first_step: of the run, from which steps are counted here: for a network's own stage.
        last_step: of the run, at which the cosine ends; 0 for the last one.
    """

    warmup_steps: int = 0
    schedule: Literal["cosine", "constant", "step", "multistep"] = "cosine"
    min_lr_ratio: float = 0.01
    gamma: float = 0.5
    step_size: int = 1000
    milestones: tuple[int, ...] = ()
    first_step: int = 0
    last_step: int = 0

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot be.

        Raises:
            SettingsError: `warmup_steps` is negative or `step_size` below 1.
        """
        if self.warmup_steps < 0 or self.step_size < 1:
            raise SettingsError(
                f"warmup_steps, step_size: {self.warmup_steps}, {self.step_size}: "
                "must be at least 0 and 1"
            )


def lr_factor(step: int, steps: int, settings: ScheduleSettings) -> float:
    """Return the part of the full learning rate that step `step` of `steps` runs at.

    Args:
        step: counted from 0.
        steps: of the whole run.
        settings: the schedule.

    >>> half_way = ScheduleSettings(warmup_steps=10, min_lr_ratio=0.0)
    >>> [round(lr_factor(step, 100, half_way), 2) for step in (4, 55)]
    [0.5, 0.5]
    """
    step, steps = step - settings.first_step, (settings.last_step or steps) - settings.first_step
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return 1.0
    if settings.schedule == "step":
        return float(settings.gamma ** (step // settings.step_size))
    if settings.schedule == "multistep":
        return float(settings.gamma ** sum(step >= one for one in settings.milestones))
    progress = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))
    return settings.min_lr_ratio + (1 - settings.min_lr_ratio) * cosine
