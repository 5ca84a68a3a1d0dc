"""What requests say, in a sampler's terms: the walk, and the draws."""

from collections.abc import Sequence

import torch
from torch import Tensor

from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.config import BridgeConfig
from audiofix.backends.a2sb.sampling import FastWalk, Noise, PublishedWalk, Walk
from audiofix.backends.filling import draws_of
from audiofix.backends.tasks import Sampler
from audiofix.errors import UsageError


def walk_of(config: BridgeConfig, sampler: Sampler, steps: int | None) -> Walk:
    """Return the walk that a request asks for.

    Args:
        config: of the model.
        sampler: which one.
        steps: calls of the fast one, times of the published one; None for the model's own.

    Raises:
        UsageError: the published sampler has one step only.
    """
    bridge = Bridge(config.beta_max)
    if sampler == "fast":
        return FastWalk(bridge, steps or config.fast_steps, config.deterministic)
    if steps == 1:
        raise UsageError("--steps 1: the published sampler needs two at least")
    return PublishedWalk(bridge, steps or config.steps, config.deterministic)


def noise_of(seed: int, place: int) -> Noise:
    """Return the draws of one place; draw -1 is what fills the unknown at first.

    Args:
        seed: of the request.
        place: sample at which a gap begins, or number of a block.
    """

    def noise(number: int, shape: Sequence[int]) -> Tensor:
        values = draws_of(seed, place, number + 2).standard_normal(tuple(shape), "float32")
        return torch.from_numpy(values)

    return noise
