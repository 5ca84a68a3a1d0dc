"""What tests of kernels share."""

from collections.abc import Iterator

import pytest

from audiofix.ops import native


@pytest.fixture(params=[0, 1, 2], ids=["baseline", "avx2", "avx512"])
def level(request: pytest.FixtureRequest) -> Iterator[None]:
    loaded = native.library("cpu")
    if loaded.afx_use_cpu_level(request.param) != request.param:
        pytest.skip("the processor lacks these instructions")
    yield
    loaded.afx_use_cpu_level(2)
