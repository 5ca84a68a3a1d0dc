import math

import pytest
import torch

from audiofix.dsp.stft import (
    from_log_magnitude_and_phase,
    inverse_stft,
    log_magnitude_and_phase,
    stft,
)


@pytest.mark.parametrize(("fft", "hop", "window"), [(1024, 240, 1024), (256, 60, 200)])
def test_there_and_back(fft, hop, window):
    x = torch.randn(2, hop * 31, generator=torch.Generator().manual_seed(0))
    spectra = stft(x, fft, hop, window)
    assert spectra.shape == (2, fft // 2 + 1, 32)
    assert torch.allclose(inverse_stft(spectra, hop, window), x, atol=1e-5)
    again = from_log_magnitude_and_phase(*log_magnitude_and_phase(spectra))
    assert torch.allclose(again, spectra, atol=1e-5)


def test_a_tone_has_the_level_that_the_formula_gives():
    x = torch.cos(2 * math.pi * 64 / 1024 * torch.arange(48000))[None]
    level = stft(x, 1024, 240, 1024)[0, 64, 50].abs()
    assert level.item() == pytest.approx(0.5 * 512 / math.sqrt(1024), rel=1e-4)


def test_steady_phases_do_not_hang_on_rounding():
    spectra = torch.complex(torch.tensor([-1.0, 2, 0, 1]), torch.tensor([-1e-9, -1e-8, -0.0, -1]))
    magnitude, phase = log_magnitude_and_phase(spectra, steady=True)
    assert phase.tolist() == pytest.approx([math.pi, 0, 0, -math.pi / 4])
    assert magnitude[2].item() == pytest.approx(-26.5754, abs=1e-4)
