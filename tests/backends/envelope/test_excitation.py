import numpy as np
import pytest

from audiofix.backends.envelope.bands import frame_grid
from audiofix.backends.envelope.excitation import rhythmic_noise

GRID = frame_grid(48000)


def made(x):
    noise = np.random.default_rng(0).standard_normal((1, GRID.size)).astype(np.float32)
    return rhythmic_noise(noise, GRID.spectra(x[None, : GRID.size]), GRID, 7200.0)


def test_its_level_above_the_edge_is_1():
    x = np.random.default_rng(1).standard_normal(GRID.size).astype(np.float32)
    for level in (1.0, 1e-4):
        power = np.abs(made(level * x)[0, GRID.frequencies >= 7200]) ** 2
        assert np.log10(power).mean() == pytest.approx(0, abs=1e-3)


def test_it_beats_with_the_pulses_of_a_voice():
    pulses = np.zeros(GRID.size, np.float32)
    pulses[::480] = 1
    sound = np.abs(np.fft.irfft(made(pulses)[0]))
    near = np.abs((np.arange(GRID.size) + 240) % 480 - 240) < 60
    inner = slice(256, -256)
    assert sound[inner][near[inner]].mean() > 3 * sound[inner][~near[inner]].mean()


def test_silence_leaves_it_finite():
    assert np.isfinite(made(np.zeros(GRID.size, np.float32))).all()
