import math

import pytest
import torch

from audiofix.dsp.stft import (
    STFT,
    from_log_magnitude_and_phase,
    hann_window,
    log_magnitude_and_phase,
)


@pytest.mark.parametrize(("fft", "hop", "window"), [(1024, 240, 1024), (256, 60, 200)])
def test_there_and_back(fft, hop, window):
    x = torch.randn(2, hop * 31, generator=torch.Generator().manual_seed(0))
    transform = STFT(fft, hop, window, normalized=True)
    spectra = transform(x)
    assert spectra.shape == (2, fft // 2 + 1, 32)
    assert torch.allclose(transform.inverse(spectra), x, atol=1e-5)
    again = from_log_magnitude_and_phase(*log_magnitude_and_phase(spectra))
    assert torch.allclose(again, spectra, atol=1e-5)


def test_a_tone_has_the_level_that_the_formula_gives():
    x = torch.cos(2 * math.pi * 64 / 1024 * torch.arange(48000))[None]
    level = STFT(1024, 240, normalized=True)(x)[0, 64, 50].abs()
    assert level.item() == pytest.approx(0.5 * 512 / math.sqrt(1024), rel=1e-4)


def test_the_inverse_has_the_length_that_is_asked_for():
    x = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0))
    transform = STFT(256, 64)
    assert torch.allclose(transform.inverse(transform(x), 1000), x, atol=1e-5)


def test_a_window_made_for_inference_can_be_trained_with():
    hann_window.cache_clear()
    transform = STFT(64, 16)
    with torch.inference_mode():
        transform(torch.ones(1, 256))
    x = torch.ones(1, 256, requires_grad=True)
    transform(x).abs().sum().backward()
    assert x.grad.abs().max() > 0
    assert hann_window.cache_info().misses == 1


def test_steady_phases_do_not_hang_on_rounding():
    spectra = torch.complex(torch.tensor([-1.0, 2, 0, 1]), torch.tensor([-1e-9, -1e-8, -0.0, -1]))
    magnitude, phase = log_magnitude_and_phase(spectra, steady=True)
    assert phase.tolist() == pytest.approx([math.pi, 0, 0, -math.pi / 4])
    assert magnitude[2].item() == pytest.approx(-26.5754, abs=1e-4)
