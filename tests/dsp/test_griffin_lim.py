import math

import torch

from audiofix.dsp.griffin_lim import griffin_lim


def spectra(sound):
    return torch.stft(sound, 256, 64, 256, torch.hann_window(256), return_complex=True).abs()


def test_the_sound_has_the_magnitudes_that_were_asked_for():
    time = torch.arange(64 * 40) / 8000
    sound = (torch.sin(2 * math.pi * (300 * time + 400 * time**2)) * 0.5)[None]
    wanted = spectra(sound)
    found = griffin_lim(wanted, 64, iterations=40)
    assert found.shape == sound.shape
    error = (spectra(found) - wanted).norm() / wanted.norm()
    assert error < 0.2
    first = (spectra(griffin_lim(wanted, 64, iterations=0)) - wanted).norm() / wanted.norm()
    assert error < 0.5 * first


def test_silence_stays_silent_and_nothing_is_drawn():
    assert not griffin_lim(torch.zeros(2, 129, 5), 64).any()
    magnitudes = torch.rand(1, 129, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(griffin_lim(magnitudes, 64), griffin_lim(magnitudes, 64))
