import ctypes

import pytest

from audiofix.ops import native
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").built, reason=condition("cpu").reason)


@pytest.mark.parametrize(
    ("name", "mirror"),
    [
        ("afx_scan_shape", native.ScanShape),
        ("afx_scan_inputs", native.ScanInputs),
        ("afx_scan_gradients", native.ScanGradients),
        ("afx_plane_shape", native.PlaneShape),
        ("afx_plane_inputs", native.PlaneInputs),
        ("afx_block_weights", native.BlockWeights),
        ("afx_convolution", native.Convolution),
        ("afx_time_stream", native.TimeStream),
    ],
)
def test_structures_have_the_size_of_their_mirrors(
    name: str, mirror: type[ctypes.Structure]
) -> None:
    assert native.library("cpu").afx_sizeof(name.encode()) == ctypes.sizeof(mirror)


def test_an_unknown_structure_has_no_size() -> None:
    assert native.library("cpu").afx_sizeof(b"afx_nothing") == -1


def test_statuses_have_messages() -> None:
    assert native.library("cpu").afx_message(-1) == b"shape out of range"
