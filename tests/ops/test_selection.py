import logging
from collections.abc import Iterator

import pytest
import torch

from audiofix.errors import DeviceError, UsageError
from audiofix.ops import native, selection

needs_native = pytest.mark.skipif(
    not selection.condition("cpu").runs, reason=selection.condition("cpu").reason
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    selection.condition.cache_clear()
    yield
    selection.condition.cache_clear()


def test_the_variable_takes_two_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOFIX_SCAN", "fast")
    with pytest.raises(UsageError, match="AUDIOFIX_SCAN=fast"):
        selection.uses_native(torch.empty(1))


@needs_native
def test_the_reference_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIOFIX_SCAN", raising=False)
    assert selection.uses_native(torch.empty(1))
    monkeypatch.setenv("AUDIOFIX_SCAN", "reference")
    assert not selection.uses_native(torch.empty(1))
    assert selection.describe()["forced"] == "reference"


@needs_native
def test_a_wrong_kernel_is_found_out_and_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = native.scan_backward

    def wrong(*arguments: object) -> list[torch.Tensor]:
        found = right(*arguments)  # type: ignore[arg-type]
        found[3] = found[3] * 1.01
        return found

    monkeypatch.setattr(native, "scan_backward", wrong)
    monkeypatch.delenv("AUDIOFIX_SCAN", raising=False)
    with caplog.at_level(logging.ERROR):
        assert not selection.uses_native(torch.empty(1))
    assert "B differs by 1.0e-02" in caplog.text
    assert "reference: failed its self-test" in selection.describe()["cpu"]
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    with pytest.raises(DeviceError, match="self-test"):
        selection.uses_native(torch.empty(1))


def test_a_missing_library_is_reported_and_forcing_it_is_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def absent(twin: native.Twin) -> None:
        raise DeviceError(f"libaudiofix_{twin}.so: not built")

    monkeypatch.setattr(native, "library", absent)
    monkeypatch.delenv("AUDIOFIX_SCAN", raising=False)
    assert not selection.uses_native(torch.empty(1))
    assert "using plain torch" in caplog.text
    assert not selection.condition("cpu").built
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    with pytest.raises(DeviceError, match="not built"):
        selection.uses_native(torch.empty(1))
