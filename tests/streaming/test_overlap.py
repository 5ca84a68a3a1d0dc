import numpy as np
import pytest
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.streaming.overlap import OverlapAdd

WINDOW, CONTEXT, FADE = 400, 40, 24
HOP = WINDOW - 2 * CONTEXT - FADE


def one_by_one(process):
    """Return a process that treats each window by itself."""
    return lambda windows: [process(window) for window in windows]


def identity(channels=2):
    return OverlapAdd(AudioFormat(8000, channels), list, window=WINDOW, context=CONTEXT, fade=FADE)


def test_keeps_the_laws():
    edges = [WINDOW + k * HOP + d for k in (0, 1) for d in (-1, 0, 1)]
    check_stage(identity, lengths=[*edges, 7919], hour_samples=8000 * 3600)


@pytest.mark.parametrize("samples", [1, FADE, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + HOP, 5003])
def test_identity_returns_the_input_to_the_bit(samples):
    x = noise(2, samples)
    assert np.array_equal(feed(identity(), x, [samples]), x)


def test_a_process_that_reaches_no_further_than_the_context_sees_no_windows():
    taps = np.random.default_rng(3).standard_normal(2 * CONTEXT + 1).astype(np.float32)

    def convolve(window):
        return np.stack([np.convolve(row, taps, "same") for row in window]).astype(np.float32)

    x = noise(1, 5003)
    stage = OverlapAdd(
        AudioFormat(8000, 1), one_by_one(convolve), window=WINDOW, context=CONTEXT, fade=FADE
    )
    assert np.abs(feed(stage, x, [5003]) - convolve(x)).max() < 1e-5


def test_neighbours_cross_fade_and_discard_their_edges():
    """A process that numbers its windows shows which window each sample came from."""
    numbers = iter(range(100))
    stage = OverlapAdd(
        AudioFormat(8000, 1),
        one_by_one(lambda w: np.full_like(w, next(numbers))),
        window=WINDOW,
        context=CONTEXT,
        fade=FADE,
    )
    y = feed(stage, noise(1, WINDOW + HOP), [WINDOW + HOP])[0]
    first_end = WINDOW - CONTEXT - FADE
    assert (y[:first_end] == 0).all()
    ramp = y[first_end : first_end + FADE]
    assert np.allclose(ramp, 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE), atol=1e-6)
    assert (y[first_end + FADE : first_end + HOP] == 1).all()


def test_windows_that_are_complete_come_together_but_never_many():
    counts = []

    def process(windows):
        counts.append(len(windows))
        return windows

    stage = OverlapAdd(AudioFormat(8000, 1), process, window=WINDOW, context=CONTEXT, fade=FADE)
    x = noise(1, WINDOW + 5 * HOP + 1)
    assert np.array_equal(feed(stage, x, [WINDOW - 1, 1, 5 * HOP + 1]), x)
    assert counts == [1, 4, 1, 1]
