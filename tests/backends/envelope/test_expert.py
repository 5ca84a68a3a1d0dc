import torch
from envelopes import CONFIG, inputs, tiny_network

from audiofix.backends.envelope.expert import Expert
from audiofix.backends.envelope.extrapolation import extrapolated


def test_untrained_it_extrapolates():
    statistics, heard, edge = inputs()
    expected = extrapolated(statistics, edge)
    assert torch.equal(Expert(CONFIG)(statistics, heard, edge), expected)
    assert not torch.allclose(tiny_network().voice(statistics, heard, edge), expected, atol=0.1)


def test_a_louder_input_has_a_louder_result():
    """Levels are relative but for one input, which is silenced here."""
    expert, (statistics, heard, edge) = tiny_network().music, inputs()
    for layer in (expert.into, expert.straight):
        layer.weight.data[:, -2] = 0
    before = expert(statistics, heard, edge)
    statistics[:, :, :4] += 1.5
    assert torch.allclose(expert(statistics, heard, edge), before + 1.5, atol=1e-4)
