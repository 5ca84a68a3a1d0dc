import numpy as np
from stages import feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.filling import draws_of, gap_stage
from audiofix.backends.tasks import InpaintRequest

MONO = AudioFormat(8000, 1)


def halves(left, gap, right):
    return np.full((len(gap.channels), gap.end - gap.start), 0.5)


def test_named_gaps_and_found_ones():
    x = noise(1, 16000)
    named = gap_stage(MONO, InpaintRequest(((0.5, 0.6),)), halves, context=10)
    changed = np.flatnonzero(feed(named, x, [16000]) != x)
    assert (changed[0], changed[-1]) == (4000, 4799)
    x[0, 9000:9100] = 0
    found = gap_stage(MONO, InpaintRequest(), halves, context=10)
    y = feed(found, x, [16000])
    assert np.array_equal(np.flatnonzero(y != x), np.arange(9000, 9100))
    assert (y[0, 9000:9100] == 0.5).all()


def test_draws_depend_on_seed_place_and_stream_alone():
    first = draws_of(1, 500).standard_normal(5)
    assert np.array_equal(first, draws_of(1, 500).standard_normal(5))
    others = [draws_of(*key).standard_normal(5) for key in ((2, 500), (1, 501), (1, 500, 1))]
    assert all(not np.array_equal(first, other) for other in others)
