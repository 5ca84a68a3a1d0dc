import pytest

from audiofix.ops import native
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").built, reason=condition("cpu").reason)


def test_an_unknown_structure_has_no_size() -> None:
    assert native.library("cpu").afx_sizeof(b"afx_nothing") == -1


def test_statuses_have_messages() -> None:
    assert native.library("cpu").afx_message(-1) == b"shape out of range"
