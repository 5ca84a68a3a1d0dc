import math

import pytest
from audiofix.trainers.schedules import learning_share


@pytest.mark.parametrize(
    ("step", "shape", "share"),
    [
        (0, "cosine", 0.1),
        (9, "cosine", 1.0),
        (10, "cosine", 1.0),
        (55, "cosine", 0.6),
        (100, "cosine", 0.2),
        (500, "cosine", 0.2),
        (40, "cosine", 0.2 + 0.8 * (0.5 + 0.5 * math.cos(math.pi / 3))),
        (99, "constant", 1.0),
    ],
)
def test_warms_up_and_falls(step, shape, share):
    found = learning_share(step, 100, warm_up=10, floor=0.2, shape=shape)
    assert found == pytest.approx(share)


def test_no_warm_up_begins_at_the_top():
    assert learning_share(0, 5, warm_up=0, floor=0.0, shape="cosine") == 1.0


def test_steps_halve():
    shares = [
        learning_share(step, 9, warm_up=1, floor=0.0, shape="steps", milestones=(2, 4))
        for step in range(6)
    ]
    assert shares == [1, 1, 0.5, 0.5, 0.25, 0.25]
