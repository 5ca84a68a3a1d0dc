"""What a receiver's training has in common, with a gain in the place of a network."""

import math

import numpy as np
import pytest
import torch
from audiofix.trainers.losses.sound import SoundLossSettings
from audiofix.trainers.recipe import Turn
from audiofix.trainers.recipes.reconstruction import (
    ClipSettings,
    DiscriminatorSettings,
    ReconstructionRecipe,
)
from corpus import RATE, corpus
from torch import nn

CPU = torch.device("cpu")
LOSS = SoundLossSettings(mel_fft=256, mel_bands=20, adversarial=1.0, feature_matching=2.0)


class Gain(nn.Module):
    """Half as loud."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return x * self.factor


class Toy(ReconstructionRecipe):
    """Learns a gain."""

    def __init__(self, manifest, **data):
        super().__init__(ClipSettings(RATE, 2400, **data), LOSS, 24, manifest)
        self.add_networks(Gain(), DiscriminatorSettings(divisor=8), CPU)

    def reconstruct(self, network, source):
        return network(source), {"extra": (10.0, network.factor)}

    def export(self, networks, path):
        raise NotImplementedError


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"))


def batch(recipe):
    item = recipe.item(np.random.default_rng(0))
    return {name: torch.from_numpy(x)[None] for name, x in item.items()}


def test_a_turn_adds_up_what_its_losses_weigh(manifest):
    recipe = Toy(manifest)
    found = recipe.losses(Turn("generator", 0), batch(recipe)).losses
    assert found["extra"].item() == 0.5
    parts = {name: value.item() for name, value in found.items()}
    expected = 10 * 0.5 + 45 * parts["mel"] + parts["adversarial"] + 2 * parts["feature_matching"]
    assert parts["total"] == pytest.approx(expected, rel=1e-6)


def test_discriminators_see_the_fake_of_the_generators_turn(manifest):
    recipe = Toy(manifest)
    given = batch(recipe)
    fake = recipe.losses(Turn("generator", 0), given).fake.detach()
    assert torch.equal(fake, 0.5 * given["clean"])
    recipe.losses(Turn("discriminator", 0, fake), given).losses["total"].backward()
    assert recipe.networks["generator"].factor.grad is None
    discriminator = recipe.networks["discriminator"]
    assert all(p.grad.abs().max() > 0 for p in discriminator.parameters() if p.dim() > 1)


def test_validation_is_the_mean_over_the_held_out_files(manifest):
    recipe = Toy(manifest)
    assert len(recipe.held_out) == 2
    found = recipe.validate(recipe.networks)["mel"]
    assert found == pytest.approx(math.log(2), rel=1e-3)
    assert len(Toy(manifest, validation_files=1).held_out) == 1


def test_examples_are_input_estimate_and_target(manifest):
    recipe = Toy(manifest)
    with torch.no_grad():
        (example,) = recipe.examples(recipe.networks, 1)
    assert (example.name, example.rate) == ("3", RATE)
    assert list(example.sounds) == ["input", "estimate", "target"]
    assert np.array_equal(example.sounds["estimate"], 0.5 * example.sounds["target"])
    assert example.sounds["target"].shape == (1, 7992)


def test_a_short_file_is_held_out_at_the_length_of_a_clip(tmp_path):
    import soundfile

    manifest = corpus(tmp_path)
    soundfile.write(tmp_path / "3.wav", np.full(100, 0.25), RATE)
    recipe = Toy(manifest)
    clean, _ = recipe.held_out_pair(recipe.held_out[0])
    assert clean.shape == (1, 1, 2400)
    assert clean[0, 0, :100].eq(0.25).all() and not clean[0, 0, 100:].any()
