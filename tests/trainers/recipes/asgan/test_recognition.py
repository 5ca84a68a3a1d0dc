import pytest
import torch
from audiofix.trainers.recipes.asgan.recognition import Recognition, divergence, drawn

from audiofix.backends.asgan.config import DiscriminatorConfig


def test_the_latent_depends_on_the_features():
    torch.manual_seed(0)
    config = DiscriminatorConfig(4, 8, 12, kernel_size=3, block_repeats=(1, 1))
    network, c = Recognition(config, size=5), torch.randn(2, 12, 4)
    mean, log_variance = network(c)
    assert mean.shape == log_variance.shape == (2, 5)
    assert not torch.allclose(network(2 * c)[0], mean)


def test_draws_have_the_mean_and_deviation_they_are_given():
    torch.manual_seed(0)
    found = drawn(torch.full((20000,), 3.0), torch.full((20000,), 2.0).log() * 2)
    assert found.mean().item() == pytest.approx(3, abs=0.05)
    assert found.std().item() == pytest.approx(2, abs=0.05)


def test_divergence_from_a_standard_gaussian():
    zeros = torch.zeros(4, 3)
    assert divergence(zeros, zeros).item() == 0
    assert divergence(zeros + 2, zeros).item() == pytest.approx(3 * 2)
