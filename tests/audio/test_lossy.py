import numpy as np
import pytest

from audiofix.audio.lossy import Coding, coded, parse_coding
from audiofix.errors import InputError, UsageError
from audiofix.metrics.alignment import delay

RATE = 44100


def music(channels=2, samples=RATE + 123):
    rng = np.random.default_rng(1)
    t = np.arange(samples) / RATE
    tones = sum(np.sin(2 * np.pi * f * t) / k for k, f in enumerate((220, 555, 1234), 1))
    rows = [
        0.2 * tones * (1 + 0.3 * row) + 0.02 * rng.standard_normal(samples)
        for row in range(channels)
    ]
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    "word", ["mp3:64k", "mp3:24k", "mp3:v6", "aac:64k", "opus:32k", "vorbis:96k"]
)
def test_sound_comes_back_in_its_place(word):
    pytest.importorskip("av")
    x = music()
    y = coded(x, RATE, parse_coding(word))
    assert y.shape == x.shape and y.dtype == np.float32
    assert abs(delay(y, x, 3000)) <= 1  # Opus turns the phase of noise a little
    error = ((y - x) ** 2).sum() / (x**2).sum()
    assert 1e-6 < error < 0.05


def test_a_lower_bit_rate_loses_more():
    pytest.importorskip("av")
    x = music(1)
    errors = [
        float(((coded(x, RATE, Coding("mp3", kbps)) - x) ** 2).sum()) for kbps in (320, 64, 24)
    ]
    assert errors == sorted(errors)


def test_other_rates_and_lengths_are_kept():
    pytest.importorskip("av")
    x = music(1, 12345)
    for rate in (48000, 96000, 22050):
        assert coded(x, rate, Coding("mp3", 64)).shape == x.shape
    assert coded(x[:, :1], RATE, Coding("opus", 64)).shape == (1, 1)
    assert coded(x[:, :0], RATE, Coding("opus", 64)).shape == (1, 0)


def test_words():
    assert parse_coding("MP3:64k") == Coding("mp3", 64)
    assert str(parse_coding("mp3:v4")) == "mp3:v4"
    assert str(parse_coding("opus:32")) == "opus:32k"
    for word in ("mp3", "mp3:", "flac:64k", "mp3:9999k", "aac:v2", "mp3:v10", "mp3:sixk"):
        with pytest.raises(UsageError, match="codec"):
            parse_coding(word)


def test_six_channels_are_refused():
    with pytest.raises(InputError, match="6 channels"):
        coded(music(6, 1000), RATE, Coding("mp3", 64))
