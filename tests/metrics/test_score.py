"""Names become numbers."""

import numpy as np
import pytest
from stages import noise

from audiofix.audio.format import AudioFormat
from audiofix.metrics.score import DEFAULT, GAP_DEFAULT, METRICS, Scorer, usual_metrics
from audiofix.metrics.spectral import DEFINITIONS


def scored(metrics, edge_hz=None):
    x = noise(2, 8000)
    scorer = Scorer(metrics, AudioFormat(16000, 2), DEFINITIONS["standard"], edge_hz)
    scorer.push(10 * x, x)
    return scorer.scores()


def test_the_order_is_the_users():
    assert list(scored(["lsd", "snr", "rtf"])) == ["lsd", "snr"]


def test_the_default_has_every_figure_but_the_clock():
    found = scored(DEFAULT, edge_hz=4000)
    assert found.keys() == set(DEFAULT) - {"rtf"}
    assert found["snr"] == pytest.approx(-20 * np.log10(9), abs=1e-3)
    assert found["lsd"] == pytest.approx(2, abs=1e-3)
    assert found["lsd-hf"] == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize("edge_hz", [None, 8001])
def test_without_two_bands_there_is_no_figure_of_them(edge_hz):
    found = scored(["lsd-lf", "lsd"], edge_hz)
    assert np.isnan(found["lsd-lf"]) and found["lsd"] > 1


def test_every_default_is_a_metric():
    assert set(DEFAULT) <= METRICS.keys()


def test_gaps_are_not_measured_by_what_listeners_would_say():
    assert usual_metrics("inpainter") == GAP_DEFAULT
