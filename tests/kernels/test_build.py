"""The builder: what it leaves out, and that what it built loads without a GPU."""

import runpy
from importlib.resources import files
from pathlib import Path

import pytest

from audiofix.ops import native, structures

BUILD = Path(__file__).parents[2] / "kernels" / "build.py"
pytestmark = pytest.mark.skipif(not BUILD.exists(), reason="no source tree here")


def test_without_compilers_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("AUDIOFIX_CUDA", raising=False)
    assert runpy.run_path(str(BUILD))["libraries"]() == []
    said = capsys.readouterr().err
    assert "libaudiofix_cpu.so is left out" in said
    assert "libaudiofix_cuda.so is left out" in said


def test_cuda_can_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOFIX_CUDA", "0")
    assert "libaudiofix_cuda.so" not in runpy.run_path(str(BUILD))["libraries"]()


def test_cuda_can_be_demanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AUDIOFIX_CUDA", "1")
    with pytest.raises(FileNotFoundError, match="nvcc"):
        runpy.run_path(str(BUILD))["libraries"]()


def test_an_unknown_wish_for_cuda_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOFIX_CUDA", "yes")
    with pytest.raises(ValueError, match="AUDIOFIX_CUDA=yes"):
        runpy.run_path(str(BUILD))["libraries"]()


@pytest.mark.skipif(
    not (files("audiofix.ops") / "libaudiofix_cuda.so").is_file(), reason="not built"
)
def test_the_cuda_library_loads_without_a_driver() -> None:
    loaded = native.library("cuda")
    assert loaded.afx_message(-2) == b"type not taken"
    rows, state, length = 8, 1, 16
    shape = structures.ScanShape(1, rows, length, state, 4, 0)
    partial = 2 * rows * state * length  # a block for each row
    assert loaded.afx_selective_scan_workspace_cuda(shape) == rows * (4 * state + 2) + partial
