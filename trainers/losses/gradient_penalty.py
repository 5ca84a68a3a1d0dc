"""The penalty that keeps a critic Lipschitz (Gulrajani et al., WGAN-GP, 2017, equation 3)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def gradient_penalty(
    critic: Callable[[Tensor], Sequence[Tensor]], real: Tensor, made: Tensor
) -> Tensor:
    """Return the mean of `(|gradient| - 1)^2` halfway between real and made, over the critics.

    Args:
        critic: wave -> scores, one tensor a critic.
        real: `[batch, 1, samples]`.
        made: the same shape. Each item is mixed at a random place between the two.
    """
    place = torch.rand(len(real), 1, 1, device=real.device, dtype=real.dtype)
    between = (real + (made - real) * place).detach().requires_grad_()
    penalties = []
    for scores in critic(between):
        (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True, retain_graph=True)
        penalties.append((slope.flatten(1).norm(dim=1) - 1).square().mean())
    return torch.stack(penalties).mean()


def r1_penalty(scores: Tensor, real: Tensor) -> Tensor:
    """Return the squared gradient of the real scores, summed over the batch.

    R1 of Mescheder et al. (2018), summed as ASGAN has it, without the factor gamma / 2.

    Args:
        scores: `[batch, 1]`, made of `real`.
        real: requires its gradient.
    """
    (slope,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
    return slope.square().sum()
