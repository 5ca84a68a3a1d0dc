"""What the shipped upsampler's sound looks like; its figures are in its model card."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from stages import feed

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import UpsampleRequest
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

CLIPS = Path(__file__).parent / "clips"
SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"
BINS_PER_KHZ = 1024 / 48


@pytest.fixture(scope="module")
def restorer():
    return load("upsample", None, place("cpu"), rate=48000)


def upsampled(restorer, x, rate, to=48000):
    """Return what the shipped model makes of `[samples]`."""
    stage = restorer.stage(AudioFormat(rate, 1), UpsampleRequest(to))
    return feed(stage, x[None].astype(np.float32), [x.size])[0]


@pytest.fixture(scope="module", params=[8000, 16000])
def levels(request, restorer):
    """Log power `[513, frames]` of the louder frames of a voice it was not trained on."""
    rate = request.param
    speech, own_rate = soundfile.read(SPEECH, dtype="float32")
    y = upsampled(restorer, soxr.resample(speech, own_rate, rate), rate)
    frames = np.lib.stride_tricks.sliding_window_view(y, 1024)[::240] * np.hanning(1024)
    power = np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e-12).T
    loudness = power[: int(3 * BINS_PER_KHZ)].mean(0)
    return rate, power[:, loudness > np.quantile(loudness, 0.6)]


def test_nothing_repeats_along_frequency(levels):
    """Where a band is filled with copies of another, 3 kHz on the same shape comes again: 0.99."""
    _, power = levels
    high = power[100:480]
    shape = smoothed(high, 9) - smoothed(high, 129)
    shape = shape[65:-65, : shape.shape[1] // 10 * 10]
    shape = shape.reshape(len(shape), -1, 10).mean(2)  # what lasts for 50 ms
    for lag in range(48, 129, 8):
        assert (shape[:-lag] * shape[lag:]).mean() / (shape**2).mean() < 0.5


def test_there_is_no_hole_and_no_step_at_the_cutoff(levels):
    rate, power = levels
    khz = np.arange(len(power)) / BINS_PER_KHZ
    cutoff = rate / 2000
    below, across, above = (
        power[(khz >= cutoff * low) & (khz < cutoff * high)].mean()
        for low, high in ((0.8, 0.92), (0.92, 1.04), (1.04, 1.2))
    )
    # 10 dB; and 7 more from 4 kHz on, where the model is cautious.
    assert abs(below - above) < (1.7 if rate == 8000 else 1.0)
    assert across > min(below, above) - 0.3


def smoothed(power, width):
    kernel = np.ones(width) / width
    return np.apply_along_axis(np.convolve, 0, power, kernel, "same")


FIGURES = {
    ("vctk_p234_006", 8000): 1.040,
    ("vctk_p234_006", 16000): 0.781,
    ("vctk_p225_nw4", 16000): 0.894,
    ("val_band_02", 16000): 0.796,
}
"""Clip, input rate -> log-spectral distance; clips of voices and instruments nobody trained on."""


@pytest.mark.parametrize(("clip", "rate"), FIGURES)
def test_the_shipped_model_keeps_its_figures(restorer, clip, rate):
    x, own_rate = soundfile.read(CLIPS / f"{clip}.flac", dtype="float32")
    low = np.rint(soxr.resample(x, own_rate, rate, "VHQ") * 2**15) / 2**15
    y = upsampled(restorer, low, rate, own_rate)[: x.size]
    meter = SpectralMeter(DEFINITIONS["standard"], own_rate, 1)
    meter.push(y[None], x[None, : y.size])
    assert meter.values()["lsd"] == pytest.approx(FIGURES[clip, rate], rel=0.05)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("share", [100, 0.3, 0.6, 0.9])
def test_a_tone_calls_up_no_band(restorer, rate, share):
    """From 100 Hz to 0.9 of the band what is added stays 40 dB below the tone."""
    hertz = share if share > 1 else share * rate / 2
    x = 0.32 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate) * np.hanning(rate) ** 0.1
    y = upsampled(restorer, x, rate)
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    new = np.fft.rfftfreq(y.size, 1 / 48000) > 0.93 * rate / 2
    assert 10 * np.log10(power[new].sum() / power[~new].sum()) < -40
    assert np.abs(y).max() < 0.32 * 10 ** (1 / 20)


def test_a_sweep_passes_though_its_band_seems_to_end(restorer):
    x = 0.3 * np.sin(2 * np.pi * np.cumsum(np.linspace(50, 7000, 32000)) / 16000)
    y, plain = upsampled(restorer, x, 16000), soxr.resample(x, 16000, 48000, "VHQ")
    assert np.abs(y - plain)[3000:-3000].max() < 0.01


def test_silence_stays_silent_and_a_click_is_no_louder(restorer):
    assert not upsampled(restorer, np.zeros(8000), 16000).any()
    click = np.zeros(8000)
    click[4000] = 0.5
    y, plain = upsampled(restorer, click, 16000), soxr.resample(click, 16000, 48000, "VHQ")
    assert np.abs(y).max() < np.abs(plain).max() * 10 ** (1 / 20)
    assert np.abs(y[:10000]).max() < 1e-3


def test_a_full_band_is_left_alone(restorer):
    x = 0.1 * np.random.default_rng(0).standard_normal(48000 * 3)
    assert np.array_equal(upsampled(restorer, x, 48000), x.astype(np.float32))
