import pytest
import torch
from audiofix.trainers.recognition import Recognition, divergence, drawn, moment_distance

from audiofix.backends.asgan.config import DiscriminatorConfig


def test_the_vector_depends_on_features_and_label():
    torch.manual_seed(0)
    config = DiscriminatorConfig(4, 8, 12, kernel_size=3, block_repeats=(1, 1))
    network = Recognition(config, labels=3, size=5)
    c, labels = torch.randn(2, 12, 4), torch.tensor([0, 1])
    mean, log_variance = network(c, labels)
    assert mean.shape == log_variance.shape == (2, 5)
    assert not torch.allclose(network(c, labels.flip(0))[0], mean)
    assert not torch.allclose(network(2 * c, labels)[0], mean)


def test_draws_have_the_mean_and_deviation_they_are_given():
    torch.manual_seed(0)
    found = drawn(torch.full((20000,), 3.0), torch.full((20000,), 2.0).log() * 2)
    assert found.mean().item() == pytest.approx(3, abs=0.05)
    assert found.std().item() == pytest.approx(2, abs=0.05)


def test_distances_from_a_standard_gaussian():
    zeros = torch.zeros(4, 3)
    assert divergence(zeros, zeros).item() == 0
    assert divergence(zeros + 2, zeros).item() == pytest.approx(3 * 2)
    z = torch.tensor([[-1.0], [1.0]]) / 2**0.5
    assert moment_distance(z).item() == pytest.approx(0, abs=1e-6)
    assert moment_distance(z + 1).item() == pytest.approx(1, abs=1e-5)
