import pytest
import torch
from envelopes import CONFIG, tiny_network

from audiofix.backends.envelope.network import build, highest_level
from audiofix.backends.systems import build as build_by_name
from audiofix.errors import SettingsError
from audiofix.nn.state import StreamState


def inputs(frames=32, edge=24):
    torch.manual_seed(1)
    statistics = torch.randn(1, frames, 5, 80) - 6
    return statistics, torch.rand(1, frames), torch.full((1, frames), edge)


@pytest.mark.parametrize("time_major", [False, True])
def test_a_stream_gives_what_the_whole_gives(time_major):
    network, (statistics, heard, edge) = tiny_network(), inputs()
    whole = network(statistics, heard, edge)
    state = StreamState(time_major=time_major)
    parts = [
        network(statistics[:, a:b], heard[:, a:b], edge[:, a:b], state)
        for a, b in ((0, 4), (4, 12), (12, 32))
    ]
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


def test_it_sees_no_later_frame():
    network, (statistics, heard, edge) = tiny_network(), inputs()
    before = network(statistics, heard, edge)
    statistics[:, 20:] += 1
    after = network(statistics, heard, edge)
    assert torch.equal(after[:, :20], before[:, :20])
    assert not torch.allclose(after[:, 20:], before[:, 20:])


def test_it_sees_nothing_above_the_edge():
    network, (statistics, heard, edge) = tiny_network(), inputs()
    before = network(statistics, heard, edge)
    statistics[..., 24:] += 3
    assert torch.equal(network(statistics, heard, edge), before)


def test_a_louder_input_has_a_louder_result():
    """Levels are relative but for one input, which is silenced here."""
    network, (statistics, heard, edge) = tiny_network(), inputs()
    for layer in (network.into, network.straight):
        layer.weight.data[:, -2] = 0
    before = network(statistics, heard, edge)
    statistics[:, :, :4] += 1.5
    assert torch.allclose(network(statistics, heard, edge), before + 1.5, atol=1e-4)


def test_a_tone_does_not_raise_the_highest_level():
    level = torch.full((1, 1, 80), -9.0)
    edge = torch.full((1, 1), 24)
    bound = highest_level(level, edge)
    level[..., 18] = 0.0
    level[..., 19] = -2.0
    assert torch.equal(highest_level(level, edge), bound)
    assert bound.item() == pytest.approx(-6.0)


def test_it_is_built_by_name():
    settings = {"channels": 8, "dilations": [1, 2], "extrapolates": True}
    network = build_by_name("envelope", settings)
    assert {k: v.shape for k, v in network.state_dict().items()} == {
        k: v.shape for k, v in tiny_network().state_dict().items()
    }
    assert network.config == CONFIG


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="chanels"):
        build({"chanels": 8})
