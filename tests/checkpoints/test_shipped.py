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

SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"
BINS_PER_KHZ = 1024 / 48


@pytest.fixture(scope="module", params=[8000, 16000])
def levels(request):
    """Log power `[513, frames]` of the louder frames of a voice it was not trained on."""
    rate = request.param
    speech, own_rate = soundfile.read(SPEECH, dtype="float32")
    low = soxr.resample(speech, own_rate, rate)[None]
    restorer = load("upsample", "vmasr-small-48k", place("cpu"), rate=48000)
    y = feed(restorer.stage(AudioFormat(rate, 1), UpsampleRequest(48000)), low, [low.shape[1]])[0]
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
    assert abs(below - above) < 1.0  # 10 dB
    assert across > min(below, above) - 0.3


def smoothed(power, width):
    kernel = np.ones(width) / width
    return np.apply_along_axis(np.convolve, 0, power, kernel, "same")
