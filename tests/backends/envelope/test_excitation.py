import numpy as np
import pytest

from audiofix.backends.envelope.bands import frame_grid
from audiofix.backends.envelope.excitation import rhythmic_noise

GRID = frame_grid(48000)


def made(x):
    noise = np.random.default_rng(0).standard_normal((1, GRID.size)).astype(np.float32)
    return rhythmic_noise(noise, GRID.spectra(x[None, : GRID.size]), GRID, 7200.0)


def test_overlapped_noise_has_level_1_and_is_smoother_than_white():
    """Analysed where no frame was made, as a listener or a log-spectral distance does."""
    rng = np.random.default_rng(1)
    x, noise = (rng.standard_normal(96000).astype(np.float32) for _ in range(2))
    cut = [np.lib.stride_tricks.sliding_window_view(one, GRID.size)[::480] for one in (x, noise)]
    made = rhythmic_noise(cut[1], GRID.spectra(cut[0]), GRID, 7200.0)
    pieces = np.fft.irfft(made * np.sqrt(np.square(GRID.window).sum())) * GRID.window
    sound, weight = np.zeros(96000), np.full(96000, 1e-9)
    for place, piece in enumerate(pieces):
        sound[480 * place : 480 * place + GRID.size] += piece
        weight[480 * place : 480 * place + GRID.size] += GRID.window**2
    again = np.lib.stride_tricks.sliding_window_view((sound / weight)[5000:-5000], GRID.size)
    level = np.log10(np.abs(GRID.spectra(again[::512].astype(np.float32))[:, 20:-20]) ** 2)
    assert level.mean() == pytest.approx(0, abs=0.03)
    assert level.std() == pytest.approx(0.41, abs=0.03)


def test_it_beats_with_the_pulses_of_a_voice():
    pulses = np.zeros(GRID.size, np.float32)
    pulses[::480] = 1
    sound = np.abs(np.fft.irfft(made(pulses)[0]))
    near = np.abs((np.arange(GRID.size) + 240) % 480 - 240) < 60
    inner = slice(256, -256)
    assert sound[inner][near[inner]].mean() > 3 * sound[inner][~near[inner]].mean()


def test_silence_leaves_it_finite():
    assert np.isfinite(made(np.zeros(GRID.size, np.float32))).all()
