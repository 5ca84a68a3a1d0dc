import torch
from tiny import ASGAN_GENERATOR

from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.inversion import invert
from audiofix.backends.asgan.network import Generator


def test_the_descent_finds_features_that_the_generator_can_make():
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig.from_mapping(ASGAN_GENERATOR)).requires_grad_(False)
    w = torch.randn(2, 8)
    wanted = generator.synthesise(w)
    found = invert(generator, wanted, torch.zeros(8), 200)
    assert found.shape == (2, 4, 8)
    before = (generator.synthesise(torch.zeros(2, 8)) - wanted).abs().mean()
    after = (generator.synthesise(found) - wanted).abs().mean()
    assert after < 0.3 * before
