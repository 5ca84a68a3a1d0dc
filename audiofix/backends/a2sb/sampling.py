"""From a damaged image to a clean one, call by call: the published sampler and a faster one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from audiofix.backends.a2sb.bridge import Bridge

LAST_TIME = 0.05
"""Where the grids of times end. The published sampler does not call its network there."""

Velocity = Callable[[Tensor, float], Tensor]
"""What a network says of images `[batch, 3, rows, frames]` at one time."""

Noise = Callable[[int, Sequence[int]], Tensor]
"""Gives the draw of a number, unit-variance noise of a shape. A step has draws 2n and 2n + 1."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """An image on its way, `[batch, 3, rows, frames]`; any part of the frames by itself.

    Attributes:
        image: where it is now.
        damaged: where it began, noise where `mask` is 1.
        mask: 1 where the image is to be made.
        clean: the last estimate of the clean image; None before the first call.
    """

    image: Tensor
    damaged: Tensor
    mask: Tensor
    clean: Tensor | None = None


class Walk(Protocol):
    """A way from noise to sound."""

    @property
    def times(self) -> Sequence[float]:
        """The time of each network call, falling."""
        ...

    def step(self, place: int, canvas: Canvas, velocity: Tensor, noise: Noise) -> Canvas:
        """Return the canvas after call `place`, for which the network said `velocity`."""
        ...


@dataclass(frozen=True)
class PublishedWalk:
    """The authors' sampler: even times, first order.

    Attributes:
        bridge: the schedule.
        steps: times of the grid; the network is called once less.
        deterministic: without noise (`use_ot_ode`).
    """

    bridge: Bridge
    steps: int
    deterministic: bool = False

    @cached_property
    def grid(self) -> Tensor:
        """Times from 1 to 0.05."""
        return torch.linspace(1, LAST_TIME, self.steps)

    @property
    def times(self) -> Sequence[float]:
        """All of the grid but the last."""
        return [float(t) for t in self.grid[:-1]]

    def step(self, place: int, canvas: Canvas, velocity: Tensor, noise: Noise) -> Canvas:
        """See `Walk.step`. The last step's image is of no use; its clean estimate is the result."""
        t, earlier = self.grid[place, None], self.grid[place + 1, None]
        clean = _clean(self.bridge, t, canvas, velocity)
        draws = None if self.deterministic else noise
        image = _earlier(self.bridge, earlier, t, canvas, clean, place, draws)
        return replace(canvas, image=image, clean=clean)


@dataclass(frozen=True)
class FastWalk:
    """Times even in log sigma_f squared, second order.

    sigma_f^2 hardly moves near t = 1, where the published grid is as dense as elsewhere. With
    l = log sigma_f^2 and the clean estimate x0, the bridge's mean obeys dx/dl = x - x0, so over a
    step h, with x0 taken as linear in l (slope D, from the call before),

        x(l + h) = e^h x + (1 - e^h) x0 + (1 + h - e^h) D

    as multistep solvers of diffusion models do (Lu et al., "DPM-Solver++", 2022).

    Attributes:
        bridge: the schedule.
        calls: of the network, at least 1.
        deterministic: whether to keep to the bridge's mean.
    """

    bridge: Bridge
    calls: int
    deterministic: bool = False

    @cached_property
    def grid(self) -> Tensor:
        """The time of each call."""
        ends = self.bridge.forward_variance(torch.tensor([1.0, LAST_TIME], dtype=torch.float64))
        first, last = ends.log()
        places = torch.linspace(0, 1, max(2, self.calls)).double()
        shares = torch.exp(first + (last - first) * places) / self.bridge.beta_max
        early, rest = (3 * shares) ** (1 / 3), (3 * (1 / 12 - shares)).clamp(min=0) ** (1 / 3)
        return torch.where(shares <= 1 / 24, early, 1 - rest)[: self.calls].float()

    @property
    def times(self) -> Sequence[float]:
        """The time of each call."""
        return [float(t) for t in self.grid]

    def step(self, place: int, canvas: Canvas, velocity: Tensor, noise: Noise) -> Canvas:
        """See `Walk.step`."""
        t = self.grid[place, None]
        clean = _clean(self.bridge, t, canvas, velocity)
        if place + 1 == self.calls:
            return replace(canvas, clean=clean)
        ahead = clean
        if canvas.clean is not None:
            ahead = clean + self._weight(place) * (clean - canvas.clean)
        draws = None if self.deterministic else noise
        earlier = self.grid[place + 1, None]
        image = _earlier(self.bridge, earlier, t, canvas, ahead, place, draws)
        return replace(canvas, image=image, clean=clean)

    def _weight(self, place: int) -> float:
        """Return by how much of its last change the clean estimate is taken further."""
        nearby = self.grid[place - 1 : place + 2].double()
        last_step, step = self.bridge.forward_variance(nearby).log().diff()
        weight = (1 + step - step.exp()) / (1 - step.exp()) / last_step
        return float(weight)


def sample(walk: Walk, canvas: Canvas, velocity: Velocity, noise: Noise) -> list[Tensor]:
    """Return the estimate of the clean image after each call; the last is the result."""
    estimates = []
    for place, t in enumerate(walk.times):
        canvas = walk.step(place, canvas, velocity(canvas.image, t), noise)
        assert canvas.clean is not None
        estimates.append(canvas.clean)
    return estimates


def _clean(bridge: Bridge, t: Tensor, canvas: Canvas, velocity: Tensor) -> Tensor:
    clean = bridge.clean_estimate(t, canvas.image, velocity)
    return clean * canvas.mask + canvas.damaged * (1 - canvas.mask)


def _earlier(
    bridge: Bridge,
    earlier: Tensor,
    t: Tensor,
    canvas: Canvas,
    clean: Tensor,
    place: int,
    noise: Noise | None,
) -> Tensor:
    """Return the image at an earlier time: made by the bridge, with what is known put back."""
    if noise is None:
        made = bridge.posterior(earlier, t, canvas.image, clean, None)
        return (1 - canvas.mask) * canvas.damaged + canvas.mask * made
    shape = canvas.image.shape
    made = bridge.posterior(earlier, t, canvas.image, clean, noise(2 * place, shape))
    std = bridge.coefficients(earlier)[2].sqrt().item()
    known = canvas.damaged + std * noise(2 * place + 1, shape)
    return (1 - canvas.mask) * known + canvas.mask * made
