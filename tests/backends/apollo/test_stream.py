import pytest
import torch

from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.apollo.stream import SoundStream
from audiofix.backends.placement import place

TINY = {"sr": 44100, "win": 20, "feature_dim": 16}


def network(**settings):
    torch.manual_seed(0)
    made = Apollo(ApolloConfig.from_mapping(TINY | settings)).eval()
    return made.requires_grad_(False)


def streamed(model, x, sizes):
    stream = SoundStream(model, place("cpu"))
    pieces = list(x.split(sizes, dim=1))
    made = [stream.push(piece) for piece in pieces[:-1]]
    return torch.cat([*made, stream.push(pieces[-1], last=True)], dim=1)


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("samples", [442, 443, 4410, 12345, 20 * 441, 20 * 441 + 440])
def test_any_tiles_give_the_whole_files_result(layer, samples):
    model = network(layer=layer)
    x = 0.1 * torch.randn(2, samples)
    whole = model(x[None])[0]
    for tile in (442, 700, 3000):
        sizes = [tile] * (samples // tile)
        sizes.append(samples - sum(sizes))
        made = streamed(model, x, sizes)
        assert made.shape == whole.shape
        # The spike after the last whole hop magnifies rounding.
        body = slice(0, samples // 441 * 441)
        assert float((made - whole)[:, body].abs().max()) < 1e-6
        assert torch.allclose(made, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_other_rates_and_an_odd_window(rate):
    model = network(layer=1, sr=rate)
    x = 0.1 * torch.randn(1, 7007)
    made = streamed(model, x, [1000, 2500, 3507])
    assert float((made - model(x[None])[0])[:, :6800].abs().max()) < 1e-6


def test_dither_goes_on_from_tile_to_tile():
    model = network(layer=1, residual=True, dither=1e-3)
    x = 0.1 * torch.randn(2, 5000)
    made = streamed(model, x, [1000, 1000, 3000])
    assert float((made - model(x[None])[0])[:, :4800].abs().max()) < 1e-6
    assert not torch.allclose(model(x[None], 0), model(x[None], 100), atol=1e-6)
