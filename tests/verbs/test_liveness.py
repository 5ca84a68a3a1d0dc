import pytest

from audiofix.verbs.liveness import Clock


def test_medians_and_under_runs_without_the_warm_up():
    clock = Clock(0.010)
    for _ in range(20):
        clock.note(1.0)  # not counted
    for _ in range(97):
        clock.note(0.002)
    for _ in range(3):
        clock.note(0.050)
    assert clock.under_runs == 3
    text = clock.summary(0.0125)
    assert "algorithmic delay 12.50 ms" in text
    assert "2.00 ms (median), 50.00 ms (p99), 3 under-runs in 100 frames of 10.00 ms" in text


@pytest.mark.parametrize("frames", [0, 20, 21])
def test_too_little_to_measure(frames):
    clock = Clock(0.010)
    for _ in range(frames):
        clock.note(0.001)
    assert clock.summary(0.0) == "too short to measure its delay"
