"""The latent whose features come nearest to a recording's (specification, section 7)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from audiofix.backends.asgan.network import Generator

_RATE = 0.05
"""Of Adam at the start; it falls to zero along a cosine."""


def invert(
    generator: Generator,
    features: Tensor,
    start: Tensor,
    steps: int,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """Return latents `[batch, styles, w_dim]` by gradient descent on the distance of features.

    All styles move together in the first half, and each by itself in the second.

    Args:
        generator: its weights stay.
        features: wanted, `[batch, frames, c_dim]`.
        start: latent to begin at, `[w_dim]`: the mean.
        steps: of the descent.
        progress: is told the steps done.
    """
    styles = generator.config.styles
    w = start.expand(len(features), 1, -1).clone()
    done = 0
    for count, places in ((steps - steps // 2, 1), (steps // 2, styles)):
        w = w.expand(-1, places, -1).clone().requires_grad_()
        optimiser = torch.optim.Adam([w], _RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(count, 1))
        for _ in range(count):
            optimiser.zero_grad()
            made = generator.synthesise(w.expand(-1, styles, -1))
            l1_loss(made, features).backward()
            optimiser.step()
            schedule.step()
            done += 1
            if progress:
                progress(done)
        w = w.detach()
    return w.expand(-1, styles, -1)
