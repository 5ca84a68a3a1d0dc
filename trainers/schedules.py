"""The learning rate over the steps of a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Shape = Literal["cosine", "constant", "steps"]


@dataclass(frozen=True, slots=True)
class LearningRate:
    """A learning rate over a run, for a network whose rate is not the run's.

    Attributes:
        learning_rate: at its highest.
        warm_up: steps of rising learning rate.
        schedule: what follows.
        floor: the learning rate's share at the end of the cosine.
        milestones: steps at each of which the shape `steps` halves it.
    """

    learning_rate: float = 1e-3
    warm_up: int = 0
    schedule: Shape = "constant"
    floor: float = 0.01
    milestones: tuple[int, ...] = ()


def learning_share(
    step: int,
    steps: int,
    *,
    warm_up: int,
    floor: float,
    shape: Shape,
    milestones: Sequence[int] = (),
) -> float:
    """Return the part of the full learning rate that step `step` of `steps` runs at.

    Args:
        step: counted from 0.
        steps: of the whole run.
        warm_up: steps over which the share rises linearly to one.
        floor: the share at the end of the cosine.
        shape: what follows the warm-up.
        milestones: steps at each of which the shape `steps` halves the share.

    >>> [round(learning_share(s, 100, warm_up=10, floor=0.0, shape="cosine"), 2) for s in (4, 55)]
    [0.5, 0.5]
    """
    if step < warm_up:
        return (step + 1) / warm_up
    if shape == "constant":
        return 1.0
    if shape == "steps":
        return float(0.5 ** sum(step >= milestone for milestone in milestones))
    progress = (step - warm_up) / max(1, steps - warm_up)
    return floor + (1 - floor) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)))
