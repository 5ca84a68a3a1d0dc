import pytest
import torch

from audiofix.backends.envelope.layers import GatedLayer, features_of
from audiofix.nn.conv import pack_weights
from audiofix.nn.state import StreamState


def test_features_are_relative_to_the_mean_of_the_bands_that_count():
    statistics = torch.zeros(1, 1, 5, 3)
    statistics[0, 0, 2] = torch.tensor([-4.0, -6.0, -50.0])
    statistics[0, 0, 0] = torch.tensor([-3.0, -7.0, 9.0])
    statistics[0, 0, 4] = 0.25
    features, level = features_of(statistics, torch.tensor([[[1.0, 1.0, 0.0]]]))
    assert level.item() == -5.0
    rows = features.view(6, 3)
    assert rows[0].tolist() == [2.0, -2.0, 0.0]
    assert rows[2].tolist() == [1.0, -1.0, 0.0]
    assert not rows[4].any()
    assert rows[5].tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("step", [4, 8, 20])
def test_a_stream_in_any_blocks_has_the_same_bits(step):
    torch.manual_seed(0)
    layer, x = GatedLayer(8, 3, 2).eval(), torch.randn(1, 40, 8)
    pack_weights(layer)
    with torch.inference_mode():
        whole = layer(x.transpose(1, 2)).transpose(1, 2)
        parts = [
            torch.cat([layer(x[:, a : a + size], state) for a in range(0, 40, size)], dim=1)
            for size, state in (
                (step, StreamState(time_major=True)),
                (40, StreamState(time_major=True)),
            )
        ]
    assert torch.equal(*parts)
    assert torch.allclose(parts[0], whole, atol=1e-6)
