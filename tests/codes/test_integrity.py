import pytest
from codes.streams import LAYOUT

from audiofix.codes.integrity import Integrity, counted


@pytest.mark.parametrize(
    ("met", "faults"),
    [
        ({"ended": True, "packets": 9}, []),
        ({}, ["cut after 1.000 s"]),
        ({"ended": True, "gaps": 1, "lost_frames": 16}, ["16 frames (0.100 s) lost in 1 gap"]),
        ({"ended": True, "damages": 2, "skipped_bytes": 9}, ["9 bytes damaged in 2 places"]),
        ({"ended": True, "late_packets": 1}, ["1 packet out of order"]),
        ({"late_packets": 3}, ["cut after 1.000 s", "3 packets out of order"]),
        ({"ended": True, "followed": True}, ["bytes follow its end"]),
    ],
)
def test_names_every_fault(met, faults):
    assert Integrity(**met).faults(LAYOUT, 160) == faults


def test_counted():
    assert [counted(number, "gap") for number in (0, 1, 2)] == ["0 gaps", "1 gap", "2 gaps"]
