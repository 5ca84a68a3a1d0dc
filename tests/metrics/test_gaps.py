import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.errors import InputError, UsageError
from audiofix.evaluation.comparison import Measuring
from audiofix.evaluation.damage import Gapped
from audiofix.evaluation.damage_comparison import compare_damaged
from audiofix.metrics.score import GAP_DEFAULT
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.gaps import FillGaps, KnownGaps

RATE = 8000
MEASURING = Measuring(GAP_DEFAULT, DEFINITIONS["standard"], None, excerpt=True)


def test_plans():
    plan = Gapped.parse("0.2:2")
    assert str(plan) == "0.2:2"
    assert plan.gaps(5 * RATE, RATE) == ((0.9, 1.1), (2.9, 3.1))
    ((start, end),) = plan.gaps(RATE, RATE)
    assert (start, end) == pytest.approx((0.4, 0.6))
    for text in ("0.2", "2:1", "x:1", "0:1", "1:1"):
        with pytest.raises(UsageError, match="LENGTH:EVERY"):
            Gapped.parse(text)


def maker(x, change):
    """Fill gaps with the recording itself, changed."""

    def make(damaged):
        source, spans = damaged.given, damaged.gaps_seconds

        def fill(left, gap, right):
            return change(x[:, gap.start : gap.end].astype(np.float64))

        gaps = KnownGaps(spans, source)
        return FillGaps(source, gaps, fill, context=10, longest=gaps.longest)

    return make


def test_what_is_measured_lies_in_the_gaps(tmp_path):
    x = noise(1, 4 * RATE)
    soundfile.write(tmp_path / "x.wav", x.T, RATE, "FLOAT")
    makers = {
        "perfect": maker(x, lambda gap: gap),
        "half": maker(x, lambda gap: gap / 2),
        "stepped": maker(x, lambda gap: gap + 0.5),
    }
    found = compare_damaged("x", tmp_path / "x.wav", Gapped(0.2, 2), makers, MEASURING)
    scores = {result.method: result.scores for result in found.results}
    assert list(scores) == ["zeros", "perfect", "half", "stepped"]
    assert scores["perfect"]["lsd"] == scores["perfect"]["level"] == 0
    assert scores["perfect"]["seam"] < 2
    assert scores["half"]["level"] == pytest.approx(6.02, abs=0.01)
    assert scores["half"]["lsd"] == pytest.approx(0.602, abs=0.01)
    assert scores["half"]["snr"] == pytest.approx(6.02, abs=0.01)
    assert scores["stepped"]["seam"] > scores["perfect"]["seam"] + 0.5
    assert scores["zeros"]["lsd"] > 3 and np.isnan(scores["zeros"]["si-sdr"])
    assert found.results[0].samples == 2 * 1600
    assert set(found.excerpt.sounds) == {"reference", *scores}


def test_silent_gaps_do_not_count(tmp_path):
    x = noise(1, 4 * RATE)
    x[:, : 2 * RATE] = 0
    soundfile.write(tmp_path / "x.wav", x.T, RATE, "FLOAT")
    found = compare_damaged("x", tmp_path / "x.wav", Gapped(0.2, 2), {}, MEASURING)
    assert found.results[0].samples == 1600
    soundfile.write(tmp_path / "y.wav", np.zeros(RATE), RATE)
    with pytest.raises(InputError, match="too short or too quiet"):
        compare_damaged("y", tmp_path / "y.wav", Gapped(0.2, 2), {}, MEASURING)
