"""Other people's libraries, where they are installed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.errors import UsageError
from audiofix.metrics.perceptual import LIBRARIES, WholeMeter, require

SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"
PERFECT = {"stoi": 1.0, "pesq": 4.64, "visqol": 4.73, "loudness": 0.0}
"""What each says of an exact copy; 4.64 is the top of P.862.2, 4.73 of ViSQOL's audio mode."""


@pytest.fixture(scope="module")
def speech():
    samples, rate = soundfile.read(SPEECH, dtype="float32", always_2d=True)
    return samples[: 2 * rate].T.copy(), rate


def measured(name, estimate, reference, rate, cut=4096):
    pytest.importorskip(LIBRARIES[name][1])
    meter = WholeMeter(name, rate)
    for start in range(0, reference.shape[1], cut):
        meter.push(estimate[:, start : start + cut], reference[:, start : start + cut])
    return meter.values()[name]


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_copy_is_perfect_and_noise_is_not(name, speech):
    x, rate = speech
    assert measured(name, x, x, rate) == pytest.approx(PERFECT[name], abs=0.01)
    noisy = measured(name, x + noise(1, x.shape[1]), x, rate)
    assert noisy > 0.1 if name == "loudness" else noisy < PERFECT[name] - 0.1


def test_six_decibels_are_six_loudness_units(speech):
    x, rate = speech
    assert measured("loudness", 2 * x, x, rate) == pytest.approx(20 * np.log10(2), abs=1e-4)


@pytest.mark.parametrize("name", ["stoi", "pesq", "loudness"])
def test_what_cannot_be_said_is_nan(name):
    zero = np.zeros((1, 1600), np.float32)
    assert np.isnan(measured(name, zero, zero, 16000))
    assert np.isnan(measured(name, zero[:, :0], zero[:, :0], 16000))


def test_what_is_absent_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(LIBRARIES, "mos", (LIBRARIES["stoi"][0], "no_such_module", "no-such"))
    with pytest.raises(UsageError, match="metric mos: not installed: pip install no-such"):
        require("mos")
    require("snr")
