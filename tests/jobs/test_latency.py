import pytest

from audiofix.jobs.latency import LatencyMeter


def test_medians_and_under_runs_without_the_warm_up():
    clock = LatencyMeter(0.010)
    for _ in range(5):
        clock.note(4.0, frames=4)  # not counted
    for _ in range(97):
        clock.note(0.002)
    clock.note(0.150, frames=3)
    clock.wait(0.0125)
    clock.wait(0.004)
    text = clock.summary()
    assert "algorithmic delay 12.50 ms" in text
    assert "2.00 ms (median), 50.00 ms (p99), 3 under-runs in 100 frames of 10.00 ms" in text


@pytest.mark.parametrize("frames", [0, 20, 21])
def test_too_little_to_measure(frames):
    clock = LatencyMeter(0.010)
    for _ in range(frames):
        clock.note(0.001)
    assert clock.summary() == "too short to measure its delay"
