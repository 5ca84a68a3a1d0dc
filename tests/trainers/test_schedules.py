import math

import pytest
from audiofix.trainers.schedules import ScheduleSettings, lr_factor

from audiofix.errors import SettingsError


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 0.1),
        (9, 1.0),
        (10, 1.0),
        (55, 0.6),
        (100, 0.2),
        (500, 0.2),
        (40, 0.2 + 0.8 * (0.5 + 0.5 * math.cos(math.pi / 3))),
    ],
)
def test_the_cosine_warms_up_and_falls(step, factor):
    settings = ScheduleSettings(warmup_steps=10, min_lr_ratio=0.2)
    assert lr_factor(step, 100, settings) == pytest.approx(factor)


def test_without_warmup_a_run_begins_at_the_top():
    assert lr_factor(0, 5, ScheduleSettings()) == 1.0


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        (ScheduleSettings(schedule="constant", warmup_steps=2), [0.5, 1, 1, 1, 1, 1]),
        (
            ScheduleSettings(schedule="multistep", warmup_steps=1, milestones=(2, 4)),
            [1, 1, 0.5, 0.5, 0.25, 0.25],
        ),
        (
            ScheduleSettings(schedule="step", step_size=2, gamma=0.98),
            [1, 1, 0.98, 0.98, 0.98**2, 0.98**2],
        ),
    ],
)
def test_other_schedules(settings, factors):
    assert [lr_factor(step, 9, settings) for step in range(6)] == pytest.approx(factors)


def test_a_network_that_has_a_stage_of_the_run_to_itself():
    early = ScheduleSettings(last_step=4, min_lr_ratio=0.1)
    late = ScheduleSettings(first_step=4, warmup_steps=2, min_lr_ratio=0.0)
    assert [lr_factor(step, 8, early) for step in (0, 2, 4, 7)] == pytest.approx(
        [1, 0.55, 0.1, 0.1]
    )
    assert [lr_factor(step, 8, late) for step in (4, 5, 6, 7)] == pytest.approx([0.5, 1, 1, 0.5])


def test_a_schedule_that_cannot_be_is_refused():
    with pytest.raises(SettingsError, match="warmup_steps, step_size: 0, 0"):
        ScheduleSettings(step_size=0)
