import pytest
import torch
from audiofix.trainers.recipes.asgan.labelled_vectors import labels_in
from audiofix.trainers.recipes.asgan.mapping_stage import MappingStage
from tiny import ASGAN_GENERATOR

from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.network import Generator
from audiofix.errors import InputError


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return Generator(
        GeneratorConfig.from_mapping({**ASGAN_GENERATOR, "z_dim": 16, "w_lr_mult": 1.0})
    )


def test_the_mapping_network_learns_where_each_word_of_each_voice_is(generator):
    size = generator.config.w_dim
    means = torch.randn(4, size)
    latents = means.repeat_interleave(20, 0) + 0.1 * torch.randn(80, size)
    choices = torch.arange(4).repeat_interleave(20)
    stage = MappingStage(latents, choices, (2, 2), 0.5)
    optimiser = torch.optim.Adam(generator.W.parameters(), 0.03)
    first = stage.loss(generator, 16).item()
    for _ in range(400):
        optimiser.zero_grad()
        loss = stage.loss(generator, 16)
        loss.backward()
        optimiser.step()
    assert loss.item() < first / 4
    z = torch.randn(400, 16)
    chosen = 2 * labels_in(z, 2) + labels_in(z[:, 2:], 2)
    nearest = torch.cdist(generator.map(z), means).argmin(1)
    assert (nearest == chosen).float().mean() > 0.65


def test_latents_are_drawn_in_towards_their_own_mean(generator):
    latents = torch.tensor([[0.0], [2.0], [10.0], [14.0]]).expand(-1, generator.config.w_dim)
    stage = MappingStage(latents, torch.tensor([0, 0, 1, 1]), (2,), 0.5)
    assert [own[:, 0].tolist() for own in stage._latents] == [[0.5, 1.5], [11.0, 13.0]]


def test_a_word_that_a_voice_never_says_is_refused():
    with pytest.raises(InputError, match="word and voice 3: no recording"):
        MappingStage(torch.zeros(3, 8), torch.arange(3), (2, 2), 1.0)
