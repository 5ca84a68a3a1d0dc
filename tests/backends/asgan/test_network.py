import torch
from plain_asgan import features
from tiny import ASGAN_GENERATOR

from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.network import Generator


def test_features_are_those_of_the_published_way():
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig.from_mapping(ASGAN_GENERATOR)).eval()
    z = torch.randn(3, generator.config.z_dim)
    with torch.no_grad():
        generator.synthesise(generator.map(z), norm_decay=0.5)
        found, expected = generator(z), features(generator, z)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * expected.std().item())


def test_levels_follow_in_half_precision_too():
    generator = Generator(GeneratorConfig.from_mapping(ASGAN_GENERATOR))
    layer = generator.layers[0]
    layer.follow_level(torch.full((2, 3, 4), 2.0, dtype=torch.bfloat16), 0.5)
    assert layer.norm_ema.item() == 0.5 * 1 + 0.5 * 4
