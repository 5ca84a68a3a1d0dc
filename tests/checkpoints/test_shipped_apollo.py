"""What the shipped restorer does to coded sound; its figures are in its model card."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from stages import feed

from audiofix.audio.format import AudioFormat
from audiofix.audio.lossy import coded, parse_coding
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import DecodeRestoreRequest
from audiofix.metrics.ratios import RatioMeter
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

pytest.importorskip("av")
SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"
RATE = 44100


@pytest.fixture(scope="module")
def restorer():
    return load("decode-restore", "apollo-small-44k", place("cpu"))


@pytest.fixture(scope="module")
def plucked():
    """Two seconds of decaying partials up to 20 kHz, over a little noise: no training data."""
    rng = np.random.default_rng(5)
    time = np.arange(2 * RATE) / RATE
    sound = 1e-3 * rng.standard_normal(time.size)
    for _ in range(10):
        since, pitch = time - rng.uniform(0, 1.8), rng.uniform(100, 600)
        decay = np.exp(-np.maximum(since, 0) * 4) * (since >= 0)
        for partial in range(1, int(20000 / pitch)):
            sound += decay * np.sin(2 * np.pi * partial * pitch * since) / partial
    return (0.5 * sound / np.abs(sound).max())[None].astype(np.float32)


def restored(restorer, x):
    return feed(restorer.stage(AudioFormat(RATE, len(x)), DecodeRestoreRequest()), x, [x.shape[1]])


def scores(estimate, reference):
    ratio, spectral = RatioMeter(1), SpectralMeter(DEFINITIONS["standard"], RATE, 1, None)
    for meter in (ratio, spectral):
        meter.push(estimate, reference)
    return ratio.values()["si-sdr"], spectral.values()["lsd"]


@pytest.mark.parametrize(
    ("word", "most", "slack_db"), [("mp3:64k", 0.7, 1.0), ("mp3:256k", 1.0, 4.0)]
)
def test_it_is_nearer_to_the_original(restorer, plucked, word, most, slack_db):
    """Synthetic sound is unlike the training's: the slack is wider than the card's figures."""
    given = coded(plucked, RATE, parse_coding(word))
    before, after = scores(given, plucked), scores(restored(restorer, given), plucked)
    assert after[1] < most * before[1]
    assert after[0] > before[0] - slack_db


def test_there_is_no_buzz_at_the_hop_rate(restorer, plucked):
    """The added band's envelope has no line at 100 Hz, where frames of 10 ms would show."""
    given = coded(plucked, RATE, parse_coding("mp3:64k"))
    added = restored(restorer, given) - given
    spectrum = np.fft.rfft(added[0])
    spectrum[: int(12000 / RATE * added.shape[1])] = 0
    envelope = np.fft.irfft(spectrum) ** 2
    lines = np.abs(np.fft.rfft(envelope * np.hanning(envelope.size)))
    hertz = np.fft.rfftfreq(envelope.size, 1 / RATE)
    around = lines[(hertz > 90) & (hertz < 110)]
    assert lines[np.abs(hertz - 100) < 0.6].max() < 6 * np.median(around)


def test_speech_of_a_lower_rate_keeps_its_band(restorer):
    speech, rate = soundfile.read(SPEECH, dtype="float32")
    x = speech[None, : 2 * rate]
    stage = restorer.stage(AudioFormat(rate, 1), DecodeRestoreRequest())
    y = feed(stage, x, [x.shape[1]])
    assert y.shape == x.shape
    assert ((y - x) ** 2).sum() < 0.01 * (x**2).sum()
