import numpy as np
import pytest
from stages import check_stage, feed

from audiofix.audio.format import AudioFormat
from audiofix.streaming.correction import at_rate


class Halve:
    """A stand-in for a model: everything 6 dB softer, some samples late."""

    latency = 64

    def __init__(self, audio):
        self.source = self.result = audio
        self._held = np.zeros((audio.channels, 0), np.float32)

    def output_length(self, samples):
        return samples

    def push(self, chunk):
        held = np.concatenate([self._held, chunk], axis=1)
        count = held.shape[1] // 64 * 64
        self._held = held[:, count:].copy()
        return 0.5 * held[:, :count]

    def flush(self):
        return 0.5 * self._held


def tone(hertz, rate, samples=20000):
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate)[None].astype(np.float32)


def level(x):
    return float(np.sqrt((x[:, 4000:-4000] ** 2).mean()))


def test_what_lies_above_the_models_band_is_kept():
    source = AudioFormat(48000, 1)
    inside, above = tone(3000, 48000), tone(15000, 48000)
    made = feed(at_rate(source, 16000, 48000, Halve), inside + above, [20000])
    assert made.shape == inside.shape
    assert np.abs(made - (0.5 * inside + above))[:, 3000:-3000].max() < 1e-3


def test_nothing_is_added_above_a_lower_rates_band():
    made = feed(at_rate(AudioFormat(8000, 1), 16000, 48000, Halve), tone(1000, 8000), [20000])
    assert made.shape == (1, 120000)
    spectrum = np.abs(np.fft.rfft(made[0] * np.hanning(120000)))
    assert spectrum[5000 * 120000 // 48000 :].max() < 1e-4 * spectrum.max()
    assert level(made) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rates", [(16000, 16000), (44100, 48000), (8000, 8000), (48000, 22050)])
def test_laws(rates):
    source, result = rates
    check_stage(
        lambda: at_rate(AudioFormat(source, 2), 16000, result, Halve), lengths=(5000, 10007)
    )
