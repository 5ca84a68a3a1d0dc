"""What the shipped codec makes of a voice that it was not trained on; more is in its model card."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.metrics.perceptual import pesq, stoi
from audiofix.streaming.roundtrip import RoundTrip

SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"
RATE = 16000


@pytest.fixture(scope="module")
def codec():
    return load("encode", "audiodec-small-16k", place("cpu"))


def through(codec, x, codebooks=None):
    stage = RoundTrip(codec, AudioFormat(RATE, 1), codebooks=codebooks)
    return np.concatenate([stage.push(x), stage.flush()], axis=1)


@pytest.fixture(scope="module")
def speech():
    return soundfile.read(SPEECH, dtype="float32")[0][None]


@pytest.fixture(scope="module")
def decoded(codec, speech):
    return {books: through(codec, speech, books) for books in (8, 4)}


def test_it_is_small_in_bits_and_bytes(codec):
    assert codec.layout.bits_per_second <= 6400
    path = files("audiofix.checkpoints") / "shipped" / "audiodec-small-16k.safetensors"
    assert len(path.read_bytes()) < 8_000_000


@pytest.mark.parametrize(("books", "figure"), [(8, 0.902), (4, 0.874)])
def test_speech_is_intelligible(speech, decoded, books, figure):
    """Within 5% of what was measured when it was made."""
    pytest.importorskip("pystoi")
    assert stoi(decoded[books], speech, RATE) > 0.95 * figure


def test_speech_has_the_quality_it_had(speech, decoded):
    pytest.importorskip("pesq")
    assert pesq(decoded[8], speech, RATE) > 0.95 * 2.259


def test_pauses_are_quiet_and_the_level_is_kept(codec, speech):
    x = np.concatenate([np.zeros((1, 8000), np.float32), speech[:, :16000]], axis=1)
    y = through(codec, x)
    assert np.abs(y[0, :7000]).max() < 1e-3
    assert abs(20 * np.log10(y[0, 8000:].std() / x[0, 8000:].std())) < 3
