import ctypes

import pytest

from audiofix.ops import native, structures
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").built, reason=condition("cpu").reason)


@pytest.mark.parametrize(
    ("name", "mirror"),
    [
        ("afx_scan_shape", structures.ScanShape),
        ("afx_scan_inputs", structures.ScanInputs),
        ("afx_scan_gradients", structures.ScanGradients),
        ("afx_plane_shape", structures.PlaneShape),
        ("afx_plane_inputs", structures.PlaneInputs),
        ("afx_block_weights", structures.BlockWeights),
        ("afx_convolution", structures.Convolution),
        ("afx_time_stream", structures.TimeStream),
    ],
)
def test_structures_have_the_size_of_their_mirrors(
    name: str, mirror: type[ctypes.Structure]
) -> None:
    assert native.library("cpu").afx_sizeof(name.encode()) == ctypes.sizeof(mirror)
