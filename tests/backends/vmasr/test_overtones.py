import pytest
import torch

from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.overtones import add_overtones
from audiofix.dsp.stft import MAGNITUDE_FLOOR

EDGE = 160
FRAMES = 40


def spectra_of(wave, edge=EDGE):
    spectra = VMASRConfig().stft(wave[None])
    spectra[:, edge:] = 0
    return spectra


def noise_spectra(edge=EDGE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return spectra_of(torch.randn((FRAMES - 1) * 240, generator=generator), edge)


def filled(spectra, *edges):
    magnitude, phase = add_overtones(spectra, torch.tensor(edges), VMASRConfig())
    return magnitude[:, 0], phase[:, 0]


def test_the_band_below_the_edge_stays_as_it_is():
    source = noise_spectra()
    magnitude, phase = filled(source, EDGE)
    below = torch.polar(torch.exp2(magnitude), phase)[:, :EDGE]
    assert torch.allclose(below, source[:, :EDGE], atol=1e-5)


@pytest.mark.parametrize("spacing", [12, 16, 20])
def test_a_harmonic_series_goes_on_at_its_own_spacing(spacing):
    seconds = torch.arange((FRAMES - 1) * 240) / 48000
    partials = torch.arange(spacing, EDGE - 8, spacing) * 48000 / 1024
    wave = torch.cos(2 * torch.pi * partials[:, None] * seconds).sum(0)
    magnitude, _ = filled(spectra_of(wave), EDGE)
    inner = magnitude[0, :, 4:-4].mean(1)  # the ends see the reflection
    on = torch.arange(-(-(EDGE + 4) // spacing) * spacing, 480, spacing)
    between = on + spacing // 2
    assert (inner[on] - torch.maximum(inner[between], inner[between - spacing])).min() > 2  # 12 dB


def test_the_new_band_declines_from_the_level_of_the_last_bins_below_the_edge():
    source = noise_spectra()
    source[:, : EDGE // 2] *= 100
    magnitude, _ = filled(source, EDGE)
    level = magnitude[0, EDGE - 16 : EDGE].mean()
    for start in range(EDGE, 480, 64):
        wanted = level - 8 * (start + 31.5 - EDGE) / 512
        assert abs(magnitude[0, start : start + 64].mean() - wanted) < 0.5


def test_no_formant_below_has_a_shadow_above():
    """The repeats of copied bands were stripes in the spectrograms of voices."""
    source = noise_spectra()
    formant = 100 * torch.exp(-(((torch.arange(513) - 120) / 6) ** 2)) + 1
    plain, _ = filled(source, EDGE)
    shaped, _ = filled(source * formant[:, None], EDGE)
    profile = [m[0, EDGE:].mean(1).unfold(0, 16, 16).mean(1) for m in (plain, shaped)]
    assert (profile[1] - profile[0]).std() < 0.2


def test_a_gain_changes_levels_only():
    source = noise_spectra()
    (magnitude, phase), (louder, same) = filled(source, EDGE), filled(8 * source, EDGE)
    assert torch.allclose(louder, magnitude + 3, atol=1e-3)
    turned = torch.polar(torch.ones(()), phase - same)
    assert torch.allclose(turned, torch.ones_like(turned), atol=1e-2)


def test_silence_stays_silent():
    magnitude, phase = filled(torch.zeros(1, 513, FRAMES, dtype=torch.complex64), EDGE)
    assert (magnitude <= torch.tensor(MAGNITUDE_FLOOR).log2() + 1e-3).all()
    assert not phase.any()


def test_every_item_has_its_own_edge():
    sources = noise_spectra(EDGE), noise_spectra(20, seed=1), noise_spectra(0, seed=2)
    together = filled(torch.cat(sources), EDGE, 20, 0)
    for index, (source, edge) in enumerate(zip(sources, (EDGE, 20, 0), strict=True)):
        for one, all_items in zip(filled(source, edge), together, strict=True):
            assert torch.allclose(one[0], all_items[index], atol=1e-4)
            assert one.isfinite().all()
