"""The learning rate over the steps of a run."""

import math
from typing import Literal

Shape = Literal["cosine", "constant"]


def learning_share(step: int, steps: int, *, warm_up: int, floor: float, shape: Shape) -> float:
    """Return the part of the full learning rate that step `step` of `steps` runs at.

    Args:
        step: counted from 0.
        steps: of the whole run.
        warm_up: steps over which the share rises linearly to one.
        floor: the share at the end of the cosine.
        shape: what follows the warm-up.

    >>> [round(learning_share(s, 100, warm_up=10, floor=0.0, shape="cosine"), 2) for s in (4, 55)]
    [0.5, 0.5]
    """
    if step < warm_up:
        return (step + 1) / warm_up
    if shape == "constant":
        return 1.0
    progress = (step - warm_up) / max(1, steps - warm_up)
    return floor + (1 - floor) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)))
