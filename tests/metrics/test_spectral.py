"""Log-spectral distances against closed forms and a plain transcription of each formula."""

import numpy as np
import pytest
import torch
from stages import cuts, noise

from audiofix.errors import InputError
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter


def measured(estimate, reference, name="standard", rate=48000, edge_bin=None, sizes=None):
    meter = SpectralMeter(DEFINITIONS[name], rate, reference.shape[0], edge_bin)
    start = 0
    for size in sizes or [reference.shape[1]]:
        meter.push(estimate[:, start : start + size], reference[:, start : start + size])
        start += size
    return meter.values()


def powers(x, fft_size, hop, padding):
    """|STFT|^2 by torch, `[channels, bins, frames]`."""
    window = torch.hann_window(fft_size, dtype=torch.float64)
    samples = torch.from_numpy(x).double()
    return (
        torch.stft(
            samples, fft_size, hop, window=window, pad_mode=padding, return_complex=True
        ).abs()
        ** 2
    ).numpy()


@pytest.mark.parametrize(
    ("name", "expected"), [("standard", 2), ("halved-edge", 2), ("ssr-eval", 2), ("decibel", 20)]
)
def test_a_gain_of_ten_moves_every_bin_by_two_powers_of_ten(name, expected):
    x = noise(1, 9000)
    assert measured(10 * x, x, name)["lsd"] == pytest.approx(expected, rel=1e-4)
    assert measured(x, x, name)["lsd"] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("rate", [44100, 48000, 16000])
def test_ssr_eval_is_its_formula_at_every_rate(rate):
    x, y = noise(2, 30_000, seed=1), noise(2, 30_000, seed=2)
    target, made = (powers(s, 2048 * rate // 44100, rate // 100, "constant") for s in (x, y))
    difference = np.log10(target / (np.sqrt(made) + 1e-12) ** 2 + 1e-12)
    expected = np.sqrt((difference**2).mean(axis=1)).mean()
    assert measured(y, x, "ssr-eval", rate)["lsd"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("samples", [1500, 2048, 2049, 12_345])
def test_bands_are_their_bins(samples):
    x, y = noise(2, samples, seed=3), noise(2, samples, seed=4)
    target, made = (np.log10(np.maximum(powers(s, 2048, 512, "reflect"), 1e-8)) for s in (x, y))
    square = (made - target) ** 2
    found = measured(y, x, edge_bin=300)
    for name, band in {"lsd": np.s_[:], "lsd-lf": np.s_[:300], "lsd-hf": np.s_[300:]}.items():
        expected = np.sqrt(square[:, band].mean(axis=1)).mean()
        assert found[name] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_cuts_change_nothing_that_counts(name):
    x, y = noise(1, 10_007, seed=5), noise(1, 10_007, seed=6)
    whole = measured(y, x, name, edge_bin=100)
    for sizes in cuts(10_007):
        assert measured(y, x, name, edge_bin=100, sizes=sizes) == pytest.approx(whole, rel=1e-9)


def test_the_published_edge_is_half_of_the_input_band():
    standard, published = DEFINITIONS["standard"], DEFINITIONS["halved-edge"]
    assert standard.edge_bin(8000, 48000) == 342  # 8 kHz is bin 341.33 of 2048 points
    assert published.edge_bin(8000, 48000) == 171  # 4 kHz


@pytest.mark.parametrize("edge_bin", [None, 0, 1025])
def test_without_two_bands_there_is_one_figure(edge_bin):
    x = noise(1, 3000)
    assert measured(x, x, edge_bin=edge_bin).keys() == {"lsd"}


@pytest.mark.parametrize("samples", [300, 1024])
def test_shorter_than_a_transform(samples):
    x = noise(1, samples)
    assert measured(10 * x, x)["lsd"] == pytest.approx(2, abs=0.01)


def test_a_single_sample_is_a_level():
    """Reflected, it is a constant: Hann leaves bins 0 and 1, (1024 x)^2 and (512 x)^2."""
    x = np.full((1, 1), 0.5, np.float32)
    expected = np.sqrt((2**2 + 2**2) / 1025)
    assert measured(10 * x, x)["lsd"] == pytest.approx(expected, rel=1e-6)


def test_nothing_has_no_distance():
    assert np.isnan(measured(*np.zeros((2, 1, 0), np.float32))["lsd"])


def test_silence_is_at_the_floor():
    x, zero = noise(1, 5000), np.zeros((1, 5000), np.float32)
    level = np.log10(powers(x, 2048, 512, "reflect")) + 8
    expected = np.sqrt((level**2).mean(axis=1)).mean()
    assert measured(zero, x)["lsd"] == pytest.approx(expected, rel=1e-6)


def test_a_rate_without_a_transform_is_refused():
    with pytest.raises(InputError, match="11 Hz"):
        SpectralMeter(DEFINITIONS["ssr-eval"], 11, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("standard", {"n_fft": 2048, "hop": 512, "log_base": 10, "epsilon": 1e-8}),
        ("ssr-eval", {"n_fft": 2229, "hop": 480, "log_base": 10, "epsilon": 1e-12}),
        ("decibel", {"unit": "dB"}),
    ],
)
def test_definitions_say_what_they_are(name, expected):
    assert expected.items() <= DEFINITIONS[name].settings(48000).items()
