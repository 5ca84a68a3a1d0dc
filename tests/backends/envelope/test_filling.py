from dataclasses import replace

import numpy as np
import pytest
import torch
from envelopes import tiny_network

from audiofix.backends.envelope.bands import frame_grid
from audiofix.backends.envelope.extrapolation import extrapolated
from audiofix.backends.envelope.filling import Filling, band_places, caution, interpolated
from audiofix.backends.placement import place

GRID = frame_grid(48000)


def frames(x):
    view = np.lib.stride_tricks.sliding_window_view(x, GRID.size)
    return view[:: GRID.hop].astype(np.float32)


def band_limited(seconds=1.0, cutoff_hz=8000):
    x = np.random.default_rng(1).standard_normal(int(48000 * seconds)) * 0.1
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(x.size, 1 / 48000) >= cutoff_hz] = 0
    return np.fft.irfft(spectrum)


def test_nothing_is_added_below_the_kept_band():
    added = Filling(tiny_network(), place("cpu"), GRID, 0).added(frames(band_limited()), 8000, 8000)
    spectra = np.abs(np.fft.rfft(added)).mean(axis=0)
    kept = GRID.frequencies < 0.9 * 8000
    assert spectra[kept].max() < 1e-4 * spectra[~kept].mean()
    assert spectra[GRID.frequencies > 9000].mean() > 0


def test_silence_gets_nothing():
    silence = np.zeros((20, GRID.size), np.float32)
    assert not Filling(tiny_network(), place("cpu"), GRID, 0).added(silence, 8000, 8000).any()


def test_the_slope_of_a_resampler_is_undone():
    """From 7.6 kHz on the input falls by 20 dB; with what is added it is flat."""
    x = band_limited(3)
    hertz = np.fft.rfftfreq(x.size, 1 / 48000)
    sloped = np.fft.irfft(np.fft.rfft(x) * 10 ** (-np.clip(hertz - 7600, 0, 300) / 300))
    network = tiny_network()
    # White noise goes on as white noise.
    flat = extrapolated(torch.zeros(1, 1, 5, 80), torch.full((1, 1), 24))[0, 0]
    for expert in (network.voice, network.music):
        for layer in (expert.out, expert.straight):
            layer.weight.data.zero_()
        expert.out.bias.data[:] = -flat
    pieces = frames(sloped)
    added = Filling(network, place("cpu"), GRID, 0).added(pieces, 8000, 8000)[1:]
    windowed = pieces[:-1] * GRID.window
    made = np.fft.rfft(windowed + added)[50:]
    level = 10 * np.log10((np.abs(made) ** 2).mean(axis=0))
    before = 10 * np.log10((np.abs(np.fft.rfft(windowed))[50:] ** 2).mean(axis=0))
    flat = level[(GRID.frequencies > 5000) & (GRID.frequencies < 7000)].mean()
    slope = (GRID.frequencies > 7650) & (GRID.frequencies < 7900)
    assert before[slope].mean() < flat - 8
    assert level[slope].mean() == pytest.approx(flat, abs=1.5)


def test_interpolation_meets_the_middle_of_each_band():
    envelope = np.array([[1.0, 3.0, 2.0]], np.float32)
    at = interpolated(
        envelope, *band_places(np.array([0, 150, 300, 450, 750, 900], np.float32), 3, 300.0)
    )
    assert np.allclose(at, [[1, 1, 2, 3, 2, 2]])


def test_caution_ends_where_wide_band_telephony_does():
    hertz = np.array([3900, 4000, 4300, 6900, 7500, 8000, 12000], np.float32)
    assert caution(hertz, 4000.0) == pytest.approx([0, 0, 1, 1, 0.5, 0, 0])
    assert caution(hertz + 2000, 6000.0)[2] == 0.5
    assert not caution(np.arange(0, 24000, 50, dtype=np.float32), 8000.0).any()


@pytest.mark.parametrize(("voice", "lowered"), [(40.0, 1.0), (-40.0, 0.0)])
def test_caution_lowers_voices_only(voice, lowered):
    """10 dB where it is active, 1 octave above the edge of noise that comes and goes."""
    x = band_limited(2, 4000) * np.where(np.arange(96000) // 4800 % 2, 1.0, 1e-3)
    made = []
    for amount in (0.0, 1.0):
        network = tiny_network()
        network.gate.out.weight.data.zero_()
        network.gate.out.bias.data[:] = voice
        network.config = replace(network.config, caution=amount)
        added = Filling(network, place("cpu"), GRID, 0).added(frames(x), 4000, 4000)
        power = (np.abs(np.fft.rfft(added[100:])) ** 2).sum(axis=0)
        made.append(np.log10(power[(GRID.frequencies > 5000) & (GRID.frequencies < 6500)].sum()))
    assert made[0] - made[1] == pytest.approx(lowered, abs=0.02)
