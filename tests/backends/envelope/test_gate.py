import pytest
import torch
from envelopes import CONFIG, inputs, tiny_network

from audiofix.backends.envelope.gate import Gate


def test_untrained_it_says_nothing():
    assert not Gate(CONFIG)(*inputs()).any()


def test_it_hears_the_lowest_bands_at_any_edge():
    gate, (statistics, heard, edge) = tiny_network().gate, inputs()
    before = gate(statistics, heard, edge)
    statistics[..., CONFIG.gate_bands :] += 3
    assert torch.equal(gate(statistics, heard, edge + 30), before)
    statistics[..., CONFIG.gate_bands - 1] += 3
    assert not torch.allclose(gate(statistics, heard, edge), before)


@pytest.mark.parametrize("edge", [1, 7, 12])
def test_it_hears_nothing_above_a_low_edge(edge):
    gate, (statistics, heard, _) = tiny_network().gate, inputs()
    first = torch.full(heard.shape, edge)
    before = gate(statistics, heard, first)
    statistics[..., edge:] += 3
    assert before.isfinite().all()
    assert torch.equal(gate(statistics, heard, first), before)


def test_how_loud_it_is_does_not_matter():
    gate, (statistics, heard, edge) = tiny_network().gate, inputs()
    before = gate(statistics, heard, edge)
    statistics[:, :, :4] += 1.5
    assert torch.allclose(gate(statistics, heard, edge), before, atol=1e-5)
