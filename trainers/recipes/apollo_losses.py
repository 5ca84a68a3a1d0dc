"""What Apollo's generator and discriminator minimise (Li and Luo, ICASSP 2025), and its validation.

All are means, over the window sizes too. Sound is `[batch, channels, samples]`.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from audiofix.backends.apollo.discriminator import WINDOWS, complex_spectra

_MAGNITUDE_EPSILON = torch.finfo(torch.float32).eps
_MAP_EPSILON = 1e-8
_ENERGY_EPSILON = 1e-8

Ratio = Literal["snr", "sisdr", "sdsdr"]
"""Target to error: neither scaled, both of the scaled target, or only the target scaled."""


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Return the least-squares loss of scores, one tensor a discriminator."""
    losses = [(r - 1).square().mean() + f.square().mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).mean()


def adversarial_loss(fake: Sequence[Tensor]) -> Tensor:
    """Return the generator's least-squares loss of its scores."""
    return torch.stack([(score - 1).square().mean() for score in fake]).mean()


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the distance of the feature maps, each relative to the real map's mean size."""
    pairs = zip(
        [one for maps in real for one in maps], [one for maps in fake for one in maps], strict=True
    )
    distances = [
        (f - r.detach()).abs().mean() / (r.detach().abs().mean() + _MAP_EPSILON) for r, f in pairs
    ]
    return torch.stack(distances).mean()


def magnitude_distance(estimate: Tensor, target: Tensor, window: int) -> Tensor:
    """Return the mean distance of the magnitudes over the target's mean magnitude, one window."""
    made = complex_spectra(estimate.flatten(0, 1), window).abs()
    wanted = complex_spectra(target.flatten(0, 1), window).abs()
    return (made - wanted).abs().mean() / (wanted.mean() + _MAGNITUDE_EPSILON)


def spectral_loss(estimate: Tensor, target: Tensor, windows: Sequence[int] = WINDOWS) -> Tensor:
    """Return the mean of `magnitude_distance` over the windows."""
    return torch.stack([magnitude_distance(estimate, target, w) for w in windows]).mean()


def negative_ratio(estimate: Tensor, target: Tensor, kind: Ratio = "sisdr") -> Tensor:
    """Return the negative ratio in dB of each channel without its mean, averaged."""
    return -_ratios_db(estimate, target, kind).mean()


def harm(estimate: Tensor, given: Tensor, target: Tensor, most_db: float = 50.0) -> Tensor:
    """Return by how many dB an estimate's SI-SDR is below that of what was given, on average.

    An estimate that is no worse costs nothing; above `most_db` nobody hears a difference (ours).
    """
    before = _ratios_db(given, target, "sisdr").clamp(max=most_db)
    return (before - _ratios_db(estimate, target, "sisdr")).clamp(min=0).mean()


def _ratios_db(estimate: Tensor, target: Tensor, kind: Ratio) -> Tensor:
    e = estimate - estimate.mean(-1, keepdim=True)
    s = target - target.mean(-1, keepdim=True)
    scaled = s
    if kind != "snr":
        share = (e * s).sum(-1, keepdim=True) / (s.square().sum(-1, keepdim=True) + _ENERGY_EPSILON)
        scaled = share * s
    error = e - (s if kind == "sdsdr" else scaled)
    ratio = scaled.square().sum(-1) / (error.square().sum(-1) + _ENERGY_EPSILON)
    return 10 * torch.log10(ratio + _ENERGY_EPSILON)
