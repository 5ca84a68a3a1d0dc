from dataclasses import replace

import torch
from tiny import CONFIG

from audiofix.backends.vmasr.enhance import EDGE_FADE_BINS, enhance_spectra
from audiofix.backends.vmasr.network import VMASR, replace_low_band
from audiofix.backends.vmasr.overtones import add_overtones


def test_below_the_fade_the_spectrum_is_the_inputs_to_the_bit():
    network = VMASR(CONFIG).eval()
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(2, 513, 32, dtype=torch.complex64, generator=generator)
    edge = torch.tensor([171, 300])
    with torch.no_grad():
        result = enhance_spectra(network, source, edge, filled=True)
    for item, first in zip(range(2), edge - EDGE_FADE_BINS, strict=True):
        assert torch.equal(result[item, :first], source[item, :first])
        assert not torch.isclose(result[item, first + 8 :], source[item, first + 8 :]).any()


def test_the_first_new_bin_is_as_loud_as_the_overtones_whatever_the_network_says():
    network = VMASR(CONFIG).eval()
    network.enhance = lambda magnitude, phase: (magnitude - 3, phase)
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(1, 513, 32, dtype=torch.complex64, generator=generator)
    edge = torch.tensor([171])
    begun = torch.exp2(add_overtones(source, edge, CONFIG)[0][0, 0])
    share = enhance_spectra(network, source, edge, filled=True)[0].abs() / begun
    assert torch.allclose(share[171], torch.ones(32), rtol=1e-4)
    assert torch.allclose(share[175], torch.full((32,), 2**-1.5), rtol=1e-4)
    assert torch.allclose(share[179:], torch.full((513 - 179, 32), 2**-3), rtol=1e-2)


def test_the_cross_fade_rises_from_source_to_new():
    source = torch.zeros(1, 20, 1, dtype=torch.complex64)
    mixed = replace_low_band(source + 1, source, torch.tensor([10]), 4)[0, :, 0].real
    assert torch.equal(mixed[:6], torch.zeros(6)) and torch.equal(mixed[10:], torch.ones(10))
    assert (mixed[6:10].diff() > 0).all() and torch.allclose(
        mixed[6:8] + mixed[8:10].flip(0), torch.ones(2)
    )


def test_a_centred_network_sees_magnitudes_of_mean_0_and_deviation_1():
    network, centred = VMASR(CONFIG).eval(), VMASR(replace(CONFIG, centre=True)).eval()
    centred.load_state_dict(network.state_dict())
    generator = torch.Generator().manual_seed(0)
    usual = torch.randn(1, 1, 513, 32, generator=generator)
    with torch.no_grad():
        change = network.enhance(usual, usual)[0] - usual
        same = centred.enhance(4 * usual - 12, usual)[0] - (4 * usual - 12)
    assert change[:, :, 1:].abs().max() > 1e-3
    assert torch.allclose(same, change, atol=1e-4)


def test_the_cross_fade_of_the_product_is_eight_bins_of_raised_cosine():
    """One bin would ring; the values are those of the fade, so that no other width passes."""
    source = torch.zeros(1, 20, 1, dtype=torch.complex64)
    mixed = replace_low_band(source + 1, source, torch.tensor([12]), EDGE_FADE_BINS)[0, :, 0].real
    assert torch.equal(mixed[:4], torch.zeros(4)) and torch.equal(mixed[12:], torch.ones(8))
    expected = 0.5 - 0.5 * torch.cos(torch.pi * (torch.arange(8) + 0.5) / 8)
    assert torch.allclose(mixed[4:12], expected, atol=1e-6)
