import io

import matplotlib.image
import numpy as np
import pytest
from stages import noise

from audiofix.dsp.picture import spectrogram

WIDTH, HEIGHT = 120, 96


def brightness(samples):
    """The picture as a viewer decodes it, `[height, width]`, 0 to 1."""
    png = spectrogram(samples, width=WIDTH, height=HEIGHT)
    return matplotlib.image.imread(io.BytesIO(png), format="png")[:, :, :3].mean(axis=2)


def sine(hertz, rate, samples=20_000):
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate).astype(np.float32)[None]


@pytest.mark.parametrize("hertz", [1000, 4000, 7000])
def test_a_tone_is_a_line_at_its_height(hertz):
    picture = brightness(sine(hertz, 16000))
    assert picture.shape == (HEIGHT, WIDTH)
    line = (1 - hertz / 8000) * (HEIGHT - 1)
    assert np.abs(picture.argmax(axis=0) - line).max() <= 1.5
    assert picture.max() == pytest.approx(np.mean([252, 250, 200]) / 255, abs=0.01)


def test_time_runs_to_the_right():
    x = noise(1, 16000)
    x[:, :8000] = 0
    picture = brightness(x)
    assert picture[:, : WIDTH // 2 - 5].max() < 0.05 < picture[:, WIDTH // 2 + 5 :].mean()


@pytest.mark.parametrize("samples", [0, 1, 500])
def test_short_sounds_are_pictures_too(samples):
    assert brightness(noise(2, samples)).shape == (HEIGHT, WIDTH)
