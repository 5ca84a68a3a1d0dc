"""A network that finds the latent a word could come from; used in training only.

With it the generator learns to reconstruct words, as a variational autoencoder does (Kingma and
Welling, 2014). Little data and few steps need that: from a discriminator alone the generator learns
only slowly where in a word anything is.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from audiofix.backends.asgan.config import DiscriminatorConfig
from audiofix.backends.asgan.discriminator import Discriminator

_WIDTH = 128
_SLOPE = 0.1
_LEVEL = 1 / 16
"""The discriminator's blocks raise the level; this brings it back to about one."""


class Recognition(nn.Module):
    """Features to mean and log-variance of a Gaussian latent."""

    def __init__(self, config: DiscriminatorConfig, size: int) -> None:
        """Make the network.

        Args:
            config: of its convolutions, which are a discriminator's.
            size: of the latent.
        """
        super().__init__()
        self.layers = Discriminator(config).layers
        self.fc = nn.Linear(config.d_dim * config.lengths[-1], _WIDTH)
        self.out = nn.Linear(_WIDTH, 2 * size)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, `[batch, size]` each, of `[batch, frames, c_dim]`.

        The variance is at most 1, as much as a standard Gaussian's.
        """
        x = c.transpose(1, 2)
        for block in self.layers:
            x = block(x)
        h = leaky_relu(self.fc(x.flatten(1) * _LEVEL), _SLOPE)
        mean, sureness = self.out(h).chunk(2, dim=1)
        return mean, -softplus(sureness)


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return a draw by torch's own generator, gradients passing through."""
    return mean + torch.randn_like(mean) * (log_variance / 2).exp()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the mean divergence from a standard Gaussian, in nats a vector."""
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return 0.5 * terms.sum(1).mean()
