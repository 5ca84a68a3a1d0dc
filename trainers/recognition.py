"""A network that finds the Gaussian vector a word could come from; used in training only.

With it the generator also learns to reconstruct words, as a variational autoencoder does (Kingma
and Welling, 2014; with a discriminator, Larsen et al., 2016). Little data and few steps need that:
from the discriminator alone the generator learns only slowly where in a word anything is.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from audiofix.backends.asgan.config import DiscriminatorConfig
from audiofix.backends.asgan.discriminator import Discriminator

_WIDTH = 128
_SLOPE = 0.1
_INPUT_FACTOR = 0.125
"""The discriminator's blocks raise the level; this brings it back to about one."""

_LOG_VARIANCE = (-8.0, 4.0)


class Recognition(nn.Module):
    """Features and their label to mean and log-variance of a Gaussian vector."""

    def __init__(self, config: DiscriminatorConfig, labels: int, size: int) -> None:
        """Make the network.

        Args:
            config: of its convolutions, which are a discriminator's.
            labels: how many there are.
            size: of the vector.
        """
        super().__init__()
        body = Discriminator(config)
        self.layers = body.layers
        self.fc = nn.Linear(config.d_dim * config.lengths[-1], _WIDTH)
        self.label = nn.Embedding(labels, _WIDTH)
        self.out = nn.Linear(_WIDTH, 2 * size)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, c: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, `[batch, size]` each."""
        x = c.transpose(1, 2)
        for block in self.layers:
            x = block(x)
        h = leaky_relu(self.fc(x.flatten(1) * _INPUT_FACTOR) + self.label(labels), _SLOPE)
        mean, log_variance = self.out(h).chunk(2, dim=1)
        return mean, log_variance.clamp(*_LOG_VARIANCE)


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return a draw by torch's own generator, gradients passing through."""
    return mean + torch.randn_like(mean) * (log_variance / 2).exp()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the mean divergence from a standard Gaussian, in nats a vector."""
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return 0.5 * terms.sum(1).mean()


def moment_distance(z: Tensor) -> Tensor:
    """Return how far a batch's means and deviations are from those of a standard Gaussian."""
    return z.mean(0).square().mean() + (z.std(0) - 1).square().mean()
