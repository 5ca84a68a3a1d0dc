from dataclasses import replace

import numpy as np
import pytest
from backends.a2sb.models import BRIDGE, CPU, checkpoint
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.a2sb.inpaint import Inpainter
from audiofix.backends.tasks import InpaintRequest

MODEL_RATE = 44100
SHORT, LONG = (0.05, 0.06), (0.2, 0.3)


@pytest.fixture(scope="module")
def inpainter():
    return Inpainter(checkpoint(replace(BRIDGE, level=0.1)), CPU)


def test_laws(inpainter):
    request = InpaintRequest((SHORT, LONG))
    check_stage(
        lambda: inpainter.stage(AudioFormat(8000, 1), request),
        lengths=(1599, 2000, 2401, 4001),
        single_samples=300,
    )


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize("sampler", ["fast", "published"])
def test_only_the_gaps_change(inpainter, rate, sampler):
    x = noise(2, rate // 2)
    request = InpaintRequest((SHORT, LONG), 3, 0, sampler)
    y = feed(inpainter.stage(AudioFormat(rate, 2), request), x, [rate // 2])
    changed = np.zeros(rate // 2, bool)
    for start, end in (SHORT, LONG):
        changed[round(start * rate) : round(end * rate)] = True
    assert np.array_equal(y[:, ~changed], x[:, ~changed])
    assert (y != x)[:, changed].mean() > 0.99


def test_seeds_channels_and_short_gaps(inpainter):
    x = np.repeat(noise(1, 4000), 2, axis=0)

    def made(seed):
        request = InpaintRequest((LONG,), seed=seed)
        return feed(inpainter.stage(AudioFormat(8000, 2), request), x, [4000])

    first = made(0)
    assert np.array_equal(first, made(0)) and not np.array_equal(first, made(1))


@pytest.mark.parametrize("span", [(0, 0.1), (0.4, 0.6), (0, 0.5)])
def test_gaps_at_the_ends_and_over_everything(inpainter, span):
    x = noise(1, 4000)
    y = feed(inpainter.stage(AudioFormat(8000, 1), InpaintRequest((span,))), x, [4000])
    assert y.shape == x.shape and np.isfinite(y).all()
