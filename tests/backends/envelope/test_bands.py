import numpy as np
import pytest

from audiofix.backends.envelope.bands import SILENCE, RunningLevels, band_levels, frame_grid


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_frames_last_alike_at_every_rate(rate):
    grid = frame_grid(rate)
    assert grid.size % 2 == 0
    assert grid.size / rate == pytest.approx(2048 / 48000, rel=0.06)
    assert grid.hop / rate == pytest.approx(0.01, rel=0.01)
    assert grid.frequencies[-1] == pytest.approx(rate / 2)


def test_48_khz_has_the_frames_of_the_standard_distance():
    grid = frame_grid(48000)
    assert (grid.size, grid.hop) == (2048, 480)


def levels(x, rate, bands=80):
    grid = frame_grid(rate)
    frames = np.lib.stride_tricks.sliding_window_view(x, grid.size)[:: grid.hop]
    return band_levels(grid.spectra(frames), grid.frequencies, bands, 300.0)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_white_noise_has_one_level_in_all_bands(rate):
    x = np.random.default_rng(0).standard_normal(4 * rate).astype(np.float32) * 0.1
    level, peaked = levels(x, rate)
    inside = int(rate / 2 / 300) - 1
    # E[log10 of an exponential variable] = -Euler's constant / ln 10.
    assert np.allclose(level[:, 1:inside].mean(axis=0), -2 - 0.2507, atol=0.05)
    assert peaked[:, 1:inside].mean() == pytest.approx(0.22, abs=0.03)
    assert (level[:, inside + 2 :] == SILENCE).all()


def test_a_tone_is_in_one_band_and_peaked():
    x = np.sin(2 * np.pi * 3150 * np.arange(48000) / 48000).astype(np.float32)
    level, peaked = levels(x, 48000)
    assert level[5].argmax() == 10
    assert peaked[5, 10] > 1
    assert np.median(level[5, 14:]) < level[5, 10] - 5


def test_silence_has_the_level_of_silence():
    level, _ = levels(np.zeros(4096, np.float32), 48000)
    assert np.allclose(level, SILENCE)


def test_running_levels_are_power_means_of_what_came():
    level = np.random.default_rng(0).uniform(-8, -2, (50, 3)).astype(np.float32)
    running, heard = RunningLevels(3).push(level)
    weights = np.exp(-np.arange(50)[::-1] / 250)[:, None]
    weights = weights / weights.sum()
    wide = level.astype(float)
    assert np.allclose(running[-1, 0], -np.log10((weights * 10**-wide).sum(0)), atol=1e-4)
    assert np.allclose(running[-1, 1], (weights * wide).sum(0), atol=1e-4)
    assert np.allclose(running[-1, 2], np.log10((weights * 10**wide).sum(0)), atol=1e-4)
    assert np.allclose(running[0], level[0], atol=1e-4)
    assert heard[-1] == pytest.approx(1 - np.exp(-50 / 250))


def test_running_levels_do_not_depend_on_cuts():
    level = np.random.default_rng(0).uniform(-8, -2, (40, 3)).astype(np.float32)
    whole, _ = RunningLevels(3).push(level)
    cut = RunningLevels(3)
    parts = [cut.push(level[:1])[0], cut.push(level[1:17])[0], cut.push(level[17:])[0]]
    assert np.array_equal(np.concatenate(parts), whole)
