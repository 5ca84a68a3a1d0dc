import pytest
import torch
from envelopes import CONFIG, inputs, tiny_network

from audiofix.backends.envelope.network import build, highest_level
from audiofix.backends.systems import build as build_by_name
from audiofix.errors import SettingsError
from audiofix.nn.state import StreamState


@pytest.mark.parametrize("time_major", [False, True])
def test_a_stream_gives_what_the_whole_gives(time_major):
    network, (statistics, heard, edge) = tiny_network(), inputs()
    whole = network(statistics, heard, edge)
    state = StreamState(time_major=time_major)
    parts = [
        network(statistics[:, a:b], heard[:, a:b], edge[:, a:b], state)
        for a, b in ((0, 4), (4, 12), (12, 32))
    ]
    for found, expected in zip(zip(*parts, strict=True), whole, strict=True):
        assert torch.allclose(torch.cat(found, dim=1), expected, atol=1e-5)


def test_it_sees_no_later_frame():
    network, (statistics, heard, edge) = tiny_network(), inputs()
    before = network(statistics, heard, edge)
    statistics[:, 20:] += torch.randn(5, 80)
    for found, expected in zip(network(statistics, heard, edge), before, strict=True):
        assert torch.equal(found[:, :20], expected[:, :20])
        assert not torch.allclose(found[:, 20:], expected[:, 20:])


def test_it_sees_nothing_above_the_edge():
    network, (statistics, heard, edge) = tiny_network(), inputs()
    before = network(statistics, heard, edge)
    statistics[..., 24:] += 3
    for found, expected in zip(network(statistics, heard, edge), before, strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("odds", "share"), [(-40.0, 0.0), (0.0, 0.5), (40.0, 1.0)])
def test_the_gate_mixes_the_experts(odds, share):
    network, heard = tiny_network(), inputs()
    network.gate.out.weight.data[:] = 0
    network.gate.out.bias.data[:] = odds
    levels, voice = network(*heard)
    assert torch.allclose(voice, torch.tensor(share))
    voices, music = network.voice(*heard), network.music(*heard)
    assert not torch.allclose(voices, music, atol=0.1)
    assert torch.allclose(levels, share * voices + (1 - share) * music, atol=1e-5)


def test_a_tone_does_not_raise_the_highest_level():
    level = torch.full((1, 1, 80), -9.0)
    edge = torch.full((1, 1), 24)
    bound = highest_level(level, edge)
    level[..., 18] = 0.0
    level[..., 19] = -2.0
    assert torch.equal(highest_level(level, edge), bound)
    assert bound.item() == pytest.approx(-6.0)


def test_it_is_built_by_name():
    settings = {
        "channels": 8, "dilations": [1, 2], "gate_channels": 4, "gate_dilations": [1, 2]
    }  # fmt: skip
    network = build_by_name("envelope", settings)
    assert {k: v.shape for k, v in network.state_dict().items()} == {
        k: v.shape for k, v in tiny_network().state_dict().items()
    }
    assert network.config == CONFIG


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="chanels"):
        build({"chanels": 8})
