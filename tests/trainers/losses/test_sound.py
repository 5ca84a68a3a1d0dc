import math

import pytest
import torch
from audiofix.trainers.losses.sound import (
    SoundLosses,
    SoundLossSettings,
    discriminator_losses,
    shape_distance,
)
from audiofix.trainers.losses.weighted import weighted_sum
from torch import nn

OFF = SoundLossSettings(mel=0.0)
X = torch.randn(2, 1, 4800, generator=torch.Generator().manual_seed(0))


class Discriminators(nn.Module):
    """Two discriminators whose maps are multiples of the sound."""

    def forward(self, x):
        return [[1 * x, 2 * x, x.mean((1, 2))], [3 * x, x.mean((1, 2)) + 1]]


def test_what_weighs_nothing_is_not_computed():
    losses = SoundLosses(SoundLossSettings(mel=45.0, stft=1.0, shape=2.0), 8000, 80)
    assert list(losses.distances(X, X)) == ["mel", "stft", "shape"]
    assert SoundLosses(OFF, 8000, 80).distances(X, X) == {}


def test_a_gain_gives_what_the_formulas_say():
    losses = SoundLosses(SoundLossSettings(mel=3.0, stft=1.0), 8000, 80)
    parts = losses.distances(0.5 * X, X)
    assert parts["mel"][0] == 3
    assert parts["mel"][1].item() == pytest.approx(math.log(2), rel=1e-5)
    assert parts["stft"][1].item() == pytest.approx(0.5 + math.log(2), rel=1e-3)


def test_the_distance_of_shapes_is_that_of_the_peaks():
    x = torch.zeros(1, 1, 40)
    x[..., 3], x[..., 25] = -0.5, 0.25
    assert shape_distance(x, torch.zeros_like(x), 10).item() == pytest.approx(0.75 / 4)


def test_scores_and_maps_are_summed_over_the_discriminators():
    settings = SoundLossSettings(adversarial=1.0, feature_matching=2.0)
    made, clean = torch.full((1, 1, 8), 0.5), torch.ones(1, 1, 8)
    parts = SoundLosses(settings, 8000, 80).adversarial(Discriminators(), made, clean)
    assert parts["adversarial"][1].item() == pytest.approx(0.5**2 + 0.5**2)
    assert parts["feature_matching"][1].item() == pytest.approx(0.5 + 1.0 + 1.5)
    assert weighted_sum(parts)["total"].item() == pytest.approx(0.5 + 2 * 3.0)
    own = discriminator_losses(Discriminators(), made, clean)["total"].item()
    assert own == pytest.approx((0 + 0.5**2) + (1 + 1.5**2))


def test_only_the_estimate_gets_a_gradient():
    settings = SoundLossSettings(mel_fft=256, mel_bands=20, adversarial=1.0, feature_matching=2.0)
    losses = SoundLosses(settings, 8000, 80)
    made, clean = X.clone().requires_grad_(), X.flip(2).clone().requires_grad_()
    parts = losses.distances(made, clean.detach()) | losses.adversarial(
        Discriminators(), made, clean
    )
    weighted_sum(parts)["total"].backward()
    assert made.grad.abs().max() > 0 and clean.grad is None


def test_half_precision_does_not_reach_the_spectra():
    losses = SoundLosses(SoundLossSettings(), 8000, 80)
    with torch.autocast("cpu", torch.bfloat16):
        found = losses.distances(X.bfloat16(), 0.5 * X)["mel"][1]
    expected = losses.distances(X.bfloat16().float(), 0.5 * X)["mel"][1]
    assert found.dtype == torch.float32 and torch.equal(found, expected)
