"""A small classifier of features that tells a generator how clear its words are; training only.

It learns from real words beside the generator, as the auxiliary classifier of a discriminator does
(Odena et al., 2017). It is not the classifier that generators are judged by, and shares nothing
with it.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu

_SLOPE = 0.1
_KERNEL = 3
_HIDDEN = 64
_SMOOTHING = 0.1
_NOISE = 0.3
"""Highest deviation of the noise; features deviate by about 0.75."""

_LEVEL = 0.3
_SHIFT = 3
_MASKED = 8
"""At most so many neighbouring frames, and bands, are set to 0."""


class FeatureClassifier(nn.Module):
    """Features to logits of labels: convolutions in time and frequency, and two linear layers."""

    def __init__(self, labels: int, frames: int, bands: int, widths: tuple[int, ...]) -> None:
        """Make the network.

        Args:
            labels: how many there are.
            frames: of a word.
            bands: of a frame.
            widths: channels of the convolutions; each halves frames and bands.
        """
        super().__init__()
        sizes = zip((1, *widths), widths, strict=False)
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, _KERNEL, 2, _KERNEL // 2) for before, after in sizes
        )
        left = [-(-size // 2 ** len(widths)) for size in (frames, bands)]
        self.fc = nn.Linear(widths[-1] * left[0] * left[1], _HIDDEN)
        self.out = nn.Linear(_HIDDEN, labels)

    def forward(self, c: Tensor) -> Tensor:
        """Return logits `[batch, labels]` of features `[batch, frames, bands]`."""
        x = c[:, None]
        for conv in self.convs:
            x = leaky_relu(conv(x), _SLOPE)
        return self.out(leaky_relu(self.fc(x.flatten(1)), _SLOPE))  # type: ignore[no-any-return]


def disturbed(c: Tensor) -> Tensor:
    """Return features with another level, place and noise, and with a gap in time and frequency.

    Drawn by torch's own generator, for each word of its own but the place; gradients pass through.
    """
    batch, frames, bands = c.shape
    shift = int(torch.randint(-_SHIFT, _SHIFT + 1, ()))
    c = c.roll(shift, 1) + _LEVEL * (2 * torch.rand(batch, 1, 1, device=c.device) - 1)
    c = c + _NOISE * torch.rand(batch, 1, 1, device=c.device) * torch.randn_like(c)
    return c * _kept(batch, frames, c.device)[:, :, None] * _kept(batch, bands, c.device)[:, None]


def unclearness(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of logits `[batch, labels]` and of labels `[batch]`.

    With smoothed labels: a classifier that is very sure has gradients that shake the generator.
    """
    return cross_entropy(logits, labels, label_smoothing=_SMOOTHING)


def _kept(batch: int, size: int, device: torch.device) -> Tensor:
    """Return `[batch, size]`, 0 where a gap is and 1 elsewhere."""
    places = torch.arange(size, device=device)
    first = torch.randint(size, (batch, 1), device=device)
    length = torch.randint(_MASKED + 1, (batch, 1), device=device)
    return ((places < first) | (places >= first + length)).float()
