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
    for cached in (selection.condition, selection.gradient_condition):
        cached.cache_clear()
    yield
    for cached in (selection.condition, selection.gradient_condition):
        cached.cache_clear()


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
def test_wrong_gradients_are_found_out_when_they_are_first_wanted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = native.scan_backward

    def wrong(*arguments: object) -> list[torch.Tensor]:
        found = right(*arguments)  # type: ignore[arg-type]
        found[3] = found[3] * 1.01
        return found

    monkeypatch.setattr(native, "scan_backward", wrong)
    monkeypatch.delenv("AUDIOFIX_SCAN", raising=False)
    assert selection.uses_native(torch.empty(1))
    with caplog.at_level(logging.ERROR):
        assert not selection.uses_native(torch.empty(1), gradients=True)
    assert "B differs by 1.0e-02" in caplog.text
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    with pytest.raises(DeviceError, match="self-test"):
        selection.uses_native(torch.empty(1), gradients=True)


@needs_native
@pytest.mark.parametrize("step", [512, 1030, -1], ids=["tile", "second-tile", "end"])
def test_one_wrong_value_beyond_the_first_tile_is_found_out(
    step: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = native.scan_forward

    def wrong(scan: native.Scan, keep: bool) -> tuple[torch.Tensor, torch.Tensor]:
        out, checkpoints = right(scan, keep)
        out[0, -1, step] += 0.01 * out.abs().max()
        return out, checkpoints

    monkeypatch.setattr(native, "scan_forward", wrong)
    monkeypatch.delenv("AUDIOFIX_SCAN", raising=False)
    with caplog.at_level(logging.ERROR):
        assert not selection.uses_native(torch.empty(1))
    assert "out differs by" in caplog.text
    assert "reference: failed its self-test" in selection.describe()["cpu"]


@needs_native
def test_autocast_does_not_make_the_kernels_look_wrong() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert selection.condition("cpu").runs
        assert selection.gradient_condition("cpu").runs


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
