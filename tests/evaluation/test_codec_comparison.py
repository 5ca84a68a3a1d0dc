"""A codec of random weights, and stages that stand for a good one, on real files."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from corpus import tones
from stages import noise
from tiny import tiny_codec

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError
from audiofix.evaluation.codec_comparison import compare_codec, there_and_back
from audiofix.evaluation.comparison import Measuring
from audiofix.metrics.score import CODEC_DEFAULT
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.resample import Resample
from audiofix.streaming.roundtrip import RoundTrip
from audiofix.streaming.stage import through

MEASURING = Measuring((*CODEC_DEFAULT, "snr"), DEFINITIONS["standard"], None, True)
CODEC = tiny_codec(rate=8000)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two channels at 44.1 kHz, of which a codec at 8 kHz keeps the band below 4 kHz."""
    x = np.stack([tones(1, 8000), tones(2, 8000)])
    up = through(Resample(AudioFormat(8000, 2), 44100), x)
    path = tmp_path / "x.wav"
    soundfile.write(path, (up + 0.02 * noise(2, up.shape[1])).T, 44100, subtype="FLOAT")
    return path


class Late:
    """A stage that gives its input back, so many samples later."""

    def __init__(self, source, samples):
        self.source = self.result = source
        self._held = np.zeros((source.channels, samples), np.float32)

    def push(self, chunk):
        held = np.concatenate([self._held, chunk], axis=1)
        self._held = held[:, chunk.shape[1] :]
        return held[:, : chunk.shape[1]]

    def flush(self):
        return self._held[:, :0]


TRIP = partial(RoundTrip, CODEC)


def test_a_codec_stands_beside_what_its_rate_can_hold(recording: Path) -> None:
    comparison = compare_codec("talks/x", recording, CODEC.layout, TRIP, MEASURING, opus=True)
    sinc, model, opus = comparison.results
    assert [r.method for r in comparison.results] == ["sinc", "model", "opus"]
    assert (model.rate, model.samples, model.input_rate) == (44100, 44100, None)
    # 2 channels, 8000 / 24 frames a second, 3 codes of 5 bits.
    assert model.scores["bitrate"] == pytest.approx(10.0)
    assert np.isnan(sinc.scores["bitrate"]) and 8 < opus.scores["bitrate"] < 20
    assert sinc.scores["delay"] == 0 and abs(opus.scores["delay"]) < 0.1
    assert sinc.scores["si-sdr"] > 20 > opus.scores["si-sdr"] > model.scores["si-sdr"]
    assert sinc.scores["lsd-lf"] < model.scores["lsd-lf"]
    assert all(r.scores["rtf"] > 0 for r in (sinc, model)) and np.isnan(opus.scores["rtf"])
    assert list(comparison.excerpt.sounds) == ["reference", "sinc", "model", "opus"]


@pytest.mark.parametrize(("samples", "found"), [(0, 0), (100, 100), (882, 882)])
def test_a_delay_is_told_and_does_not_count(samples, found, recording: Path) -> None:
    comparison = compare_codec(
        "x", recording, CODEC.layout, lambda audio: Late(audio, samples), MEASURING, opus=False
    )
    _, model = comparison.results
    assert model.scores["delay"] == pytest.approx(1000 * found / 44100)
    # All but the end, which has not come out.
    assert model.scores["snr"] > 10


def test_the_model_is_the_round_trip(tmp_path: Path) -> None:
    x = tones(5, 6001)[None]
    path = tmp_path / "x.wav"
    soundfile.write(path, x.T, 8000, subtype="FLOAT")
    found = compare_codec("x", path, CODEC.layout, TRIP, MEASURING, opus=False)
    trip = through(TRIP(AudioFormat(8000, 1)), x)
    late = round(found.results[1].scores["delay"] * 8)
    shown = found.excerpt.sounds["model"]
    inner = slice(200, 5800)
    assert np.array_equal(shown[:, inner], trip[:, 200 + late : 5800 + late])
    # At the codec's own rate, resampling there and back changes nothing.
    assert np.array_equal(found.excerpt.sounds["sinc"], x)


@pytest.mark.parametrize("samples", [0, 1, 4409])
def test_resampling_there_and_back_keeps_the_length(samples: int) -> None:
    stage = there_and_back(AudioFormat(44100, 1), 8000)
    assert through(stage, noise(1, samples)).shape == (1, samples)


@pytest.mark.parametrize("samples", [0, 1, 20])
def test_hardly_any_sound_can_be_measured(samples: int, tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, noise(1, samples).T, 44100, subtype="FLOAT")
    comparison = compare_codec(
        "x", path, CODEC.layout, TRIP, replace(MEASURING, excerpt=False), opus=True
    )
    assert [r.samples for r in comparison.results] == [samples] * 3
    assert comparison.excerpt is None


def test_a_cut_recording_is_a_failure() -> None:
    cut = Path(__file__).parents[1] / "audio" / "bad" / "truncated.wav"
    with pytest.raises(InputError, match="cut"):
        compare_codec("a", cut, CODEC.layout, TRIP, MEASURING, opus=False)
