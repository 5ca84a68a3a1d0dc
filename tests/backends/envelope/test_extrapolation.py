import pytest
import torch

from audiofix.backends.envelope.extrapolation import extrapolated

EDGE = 24


def heard(level, floor):
    """Steady sound: five statistics of 80 bands, and the edge."""
    statistics = torch.full((1, 3, 5, 80), float(level))
    statistics[:, :, 1] = floor
    return statistics, torch.full((1, 3), EDGE)


def test_sound_falls_by_8_5_db_per_octave():
    level = extrapolated(*heard(-4, -11))[0, 0]
    assert (level[31] - level[63]).item() == pytest.approx(0.85 * 1.022, abs=0.02)
    assert level[EDGE].item() == pytest.approx(-4 - 0.22 - 0.85 * 0.16, abs=0.02)


def test_it_does_not_fall_below_the_floor():
    loud, quiet = (extrapolated(*heard(level, -7))[0, 0] for level in (-4, -11))
    assert (quiet[31] - quiet[63]).item() == pytest.approx(0.35 * 1.022, abs=0.02)
    assert (loud > quiet).all()


def test_only_bands_near_the_edge_count():
    statistics, edge = heard(-4, -11)
    before = extrapolated(statistics, edge)[..., EDGE:]
    statistics[..., :20] += 2
    statistics[..., EDGE:] += 2
    assert torch.equal(extrapolated(statistics, edge)[..., EDGE:], before)


def test_louder_by_so_much_is_louder_by_so_much():
    statistics, edge = heard(-4, -6)
    before = extrapolated(statistics, edge)
    assert torch.allclose(extrapolated(statistics + 1.5, edge), before + 1.5, atol=1e-5)


@pytest.mark.parametrize("edge", [1, 2, 79])
def test_any_edge_will_do(edge):
    statistics, _ = heard(-4, -6)
    assert extrapolated(statistics, torch.full((1, 3), edge)).isfinite().all()
