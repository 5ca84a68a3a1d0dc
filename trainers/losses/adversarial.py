"""What generators and discriminators minimise against each other.

Scores are lists, one tensor a discriminator; feature maps lists of such lists.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, softplus


def least_squares_discriminator(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Return the discriminators' loss of LSGAN (Mao et al., 2017), summed."""
    losses = [(r - 1).square().mean() + f.square().mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).sum()


def least_squares_generator(fake: Sequence[Tensor]) -> Tensor:
    """Return the generator's loss of LSGAN, summed over the discriminators."""
    return torch.stack([(1 - score).square().mean() for score in fake]).sum()


def wasserstein_discriminator(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Return the critics' loss of WGAN (Arjovsky et al., 2017), summed."""
    losses = [f.mean() - r.mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).sum()


def wasserstein_generator(fake: Sequence[Tensor]) -> Tensor:
    """Return the generator's loss of WGAN, summed over the critics."""
    return torch.stack([-score.mean() for score in fake]).sum()


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the mean over all feature maps of their mean absolute distance."""
    pairs = zip(
        [one for maps in real for one in maps], [one for maps in fake for one in maps], strict=True
    )
    return torch.stack([l1_loss(f, r.detach()) for r, f in pairs]).mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's loss of the first GAN (Goodfellow et al., 2014), from logits."""
    return softplus(fake).mean() + softplus(-real).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """Return the generator's non-saturating loss of the first GAN, from logits."""
    return softplus(-fake).mean()
