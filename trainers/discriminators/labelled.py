"""A discriminator that knows the label (Miyato and Koyama, 2018: projection)."""

import math

import torch
from torch import Tensor, nn

from audiofix.backends.asgan.discriminator import Discriminator


class LabelledDiscriminator(nn.Module):
    """Scores features for being real, and of their label."""

    def __init__(self, body: Discriminator, labels: int) -> None:
        """Take the published discriminator; `labels` is how many there are."""
        super().__init__()
        self.body = body
        self.embedding = nn.Embedding(labels, body.config.d_dim)

    def forward(self, c: Tensor, labels: Tensor) -> Tensor:
        """Return logits `[batch, 1]` of features `[batch, frames, c_dim]`, labels `[batch]`."""
        h = self.body.head.features(self.body.maps(c))
        match = (self.embedding(labels) * h).sum(1, keepdim=True) / math.sqrt(h.shape[1])
        scores: Tensor = self.body.head.out(h) + match
        return scores


def labels_in(z: Tensor, labels: int) -> Tensor:
    """Return the label that each Gaussian vector stands for: its largest among the first ones."""
    return z[:, :labels].argmax(1)


def with_labels(z: Tensor, labels: Tensor, count: int) -> Tensor:
    """Return Gaussian vectors changed to stand for these labels, still Gaussian.

    Of the first `count` numbers the largest changes places with that of the label.
    """
    z, rows = z.clone(), torch.arange(len(z), device=z.device)
    largest = labels_in(z, count)
    z[rows, largest], z[rows, labels] = z[rows, labels].clone(), z[rows, largest].clone()
    return z
