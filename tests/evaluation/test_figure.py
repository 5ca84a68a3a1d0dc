import pytest
from stages import noise

from audiofix.evaluation.figure import figure, ticks


@pytest.mark.parametrize(
    ("top", "expected"),
    [(24, [0, 5, 10, 15, 20]), (8, [0, 2, 4, 6, 8]), (0.35, [0, 0.1, 0.2, 0.3]), (0, [0]),
     (22.05, [0, 5, 10, 15, 20]), (6, [0, 2, 4, 6])],
)  # fmt: skip
def test_ticks_are_round_and_few(top, expected):
    assert ticks(top) == expected


def test_a_sound_of_no_samples_is_drawn_all_the_same():
    text = figure("model", "<Model>", noise(1, 0), 8000, None)
    assert "&lt;Model&gt;" in text and "<audio" not in text and '<span style="left:0.00%">0' in text
