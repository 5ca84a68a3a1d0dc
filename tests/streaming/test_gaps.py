import numpy as np
import pytest
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError, UsageError
from audiofix.streaming.gaps import FillGaps, Gap, KnownGaps

MONO, STEREO = AudioFormat(1000, 1), AudioFormat(1000, 2)


def filled_with_sides(left, gap, right):
    """Tell what `fill` saw: the sum of the left side, then the first sample of the right one."""
    made = np.zeros((len(gap.channels), gap.end - gap.start))
    made[:, 0] = left.sum(axis=1)
    made[:, -1] = right[:, :1].sum(axis=1) + right.shape[1]
    return made


def stage_of(spans, source=MONO, context=50):
    gaps = KnownGaps(spans, source)
    return FillGaps(source, gaps, filled_with_sides, context=context, longest=gaps.longest)


def test_laws():
    spans = [(0.1, 0.15), (0.5, 0.9), (1.5, 1.51)]
    check_stage(
        lambda: stage_of(spans, STEREO),
        lengths=(99, 100, 101, 150, 200, 899, 900, 1511, 2003),
        hour_samples=3_600_000,
    )


def test_only_the_gaps_change_and_both_sides_are_seen():
    x = noise(1, 400).astype(np.float64)
    y = feed(stage_of([(0.1, 0.2)]), x, [400])
    assert y.dtype == np.float64
    assert np.array_equal(y[:, :100], x[:, :100]) and np.array_equal(y[:, 200:], x[:, 200:])
    assert y[0, 100] == x[0, 50:100].sum() and y[0, 199] == x[0, 200] + 50


def test_the_right_side_ends_at_the_next_gap():
    x = noise(1, 400)
    y = feed(stage_of([(0.1, 0.2), (0.22, 0.25)]), x, [400])
    assert y[0, 199] == pytest.approx(x[0, 200] + 20)
    left = np.concatenate([y[0, 170:200], x[0, 200:220]])
    assert y[0, 220] == pytest.approx(left.sum(), rel=1e-5)


def test_gaps_at_both_ends_and_behind():
    x = noise(1, 300)
    y = feed(stage_of([(0, 0.05), (0.25, 0.7), (0.8, 0.9)]), x, [300])
    assert y[0, 0] == 0 and y[0, 49] == pytest.approx(x[0, 50] + 50)
    assert y[0, 250] == pytest.approx(x[0, 200:250].sum()) and y[0, -1] == 0
    assert np.array_equal(y[:, 50:250], x[:, 50:250])


def test_touching_and_overlapping_gaps_are_one():
    assert KnownGaps([(0.3, 0.4), (0.1, 0.2), (0.15, 0.25), (0.4, 0.5)], MONO).flush() == [
        Gap(100, 250, (0,)),
        Gap(300, 500, (0,)),
    ]


@pytest.mark.parametrize("span", [(0.2, 0.1), (-1, 0.1), (0.1, 0.1), (0, 10.1)])
def test_spans_that_make_no_sense(span):
    with pytest.raises(UsageError):
        KnownGaps([span], MONO)


def test_what_is_not_finite_is_mended_in_a_gap_and_refused_elsewhere():
    x = noise(1, 400)
    x[0, 120:130] = np.nan
    assert np.isfinite(feed(stage_of([(0.1, 0.2)]), x, [400])).all()
    for spans in ([(0.125, 0.2)], [(0.3, 0.35)]):
        with pytest.raises(InputError, match="0.12"):
            feed(stage_of(spans), x, [100, 300])
