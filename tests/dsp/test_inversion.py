import math

import pytest
import torch

from audiofix.dsp.inversion import SpectrogramInversion, asymmetric_windows, peak_phases

WINDOW, HOP, SPAN, FALL = 400, 80, 240, 160
RATE = 16000


def inverted(magnitudes, iterations=2, at_once=1000):
    """Return the final samples, the first of which is sample `1 - SPAN + HOP`."""
    inversion = SpectrogramInversion(WINDOW, HOP, SPAN, FALL, iterations)
    state, pieces = inversion.begin(magnitudes), []
    for part in magnitudes.split(at_once):
        found = inversion(part, *state)
        state = found.sound, found.spectra[-1]
        end = len(found.samples) - (SPAN - HOP)
        pieces.append(found.samples[end - len(part) * HOP : end])
    return torch.cat(pieces)


def spectra(x):
    """Return the spectra of frames that end at multiples of the hop."""
    window = asymmetric_windows(WINDOW, HOP, SPAN, FALL).analysis
    padded = torch.nn.functional.pad(x, (WINDOW - 1, 0))
    return torch.fft.rfft(padded.unfold(0, WINDOW, HOP) * window)


def test_windows_sum_to_one_and_end_at_zero():
    analysis, synthesis = asymmetric_windows(WINDOW, HOP, SPAN, FALL)
    product = analysis * synthesis
    for place in range(HOP):
        assert product[WINDOW - SPAN + place : WINDOW : HOP].sum() == pytest.approx(1, abs=1e-6)
    assert analysis[-1] == synthesis[-1] == 0 and not synthesis[: WINDOW - SPAN].any()
    assert analysis.argmax() == WINDOW - FALL - 1


@pytest.mark.parametrize("hertz", [200.0, 1234.5, 6000.0])
def test_a_tone_stays_itself(hertz):
    """Its phase is free, its level and frequency are not."""
    time = torch.arange(8000) / RATE
    y = inverted(spectra(0.3 * torch.sin(2 * math.pi * hertz * time)).abs())[2000:7000]
    y_time = torch.arange(len(y)) / RATE
    basis = torch.stack([f(2 * math.pi * hertz * y_time) for f in (torch.sin, torch.cos)], dim=1)
    found = torch.linalg.lstsq(basis, y[:, None]).solution
    assert found.norm() == pytest.approx(0.3, rel=0.05)
    assert (basis @ found - y[:, None]).std() < 0.02


def test_rounds_bring_the_sound_nearer_to_its_magnitudes():
    """Of a buzz, whose harmonics are found by their peaks, and of noise, which has no order."""
    time = torch.arange(8000) / RATE
    buzz = sum(torch.sin(2 * math.pi * 150 * number * time) for number in range(1, 30)) / 30
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    for x, most in ((buzz, 0.35), (noise, 0.5)):
        wanted = spectra(x).abs()
        errors = []
        for iterations in (0, 3):
            y = inverted(wanted, iterations)[SPAN - HOP - 1 :]
            errors.append((spectra(y).abs() - wanted[: -(-len(y) // HOP)])[20:].norm())
        size = wanted[20:].norm()
        assert errors[1] < errors[0] and errors[1] / size < most


def test_frames_may_come_in_any_number():
    magnitudes = torch.rand(50, WINDOW // 2 + 1, generator=torch.Generator().manual_seed(0))
    whole = inverted(magnitudes)
    for at_once in (1, 7):
        torch.testing.assert_close(inverted(magnitudes, at_once=at_once), whole)
    assert len(whole) == 50 * HOP


def test_silence_stays_silent():
    assert not inverted(torch.zeros(20, WINDOW // 2 + 1)).any()


def test_phases_follow_the_nearest_peak():
    size = 64
    magnitudes = torch.full((1, size // 2 + 1), 1e-3)
    magnitudes[0, [8, 20]] = 1.0
    magnitudes[0, [7, 9]] = 0.5
    magnitudes[0, [19, 21]] = torch.tensor([0.3, 0.6])
    turns = peak_phases(magnitudes, 16)[0] / (2 * math.pi) * size / 16
    assert turns[[5, 8, 11]].tolist() == pytest.approx([8.0] * 3, abs=1e-4)
    assert torch.all((turns[16:30] > 20.05) & (turns[16:30] < 20.5))


def test_a_frame_without_peaks_stands_still():
    assert not peak_phases(torch.linspace(1, 0, 33)[None], 16).any()


def test_gradients_see_the_same_sound():
    magnitudes = torch.rand(2, 30, WINDOW // 2 + 1, generator=torch.Generator().manual_seed(0))
    magnitudes.requires_grad_()
    inversion = SpectrogramInversion(WINDOW, HOP, SPAN, FALL, 1)
    found = inversion(magnitudes.detach(), *inversion.begin(magnitudes))
    y = inversion.differentiable(magnitudes)
    torch.testing.assert_close(y, found.samples, rtol=1e-4, atol=1e-5)
    # With its phases given, the sound is linear in the magnitudes.
    y.square().sum().backward()
    assert magnitudes.grad is not None
    product = (magnitudes.grad * magnitudes).sum() / 2
    torch.testing.assert_close(product.detach(), y.detach().square().sum(), rtol=1e-4, atol=0)
