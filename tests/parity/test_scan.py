"""The selective scan against golden values, computed in float64 from float32 inputs."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from audiofix.ops.selection import uses_native
from audiofix.ops.selective_scan import selective_scan

GOLDEN = Path(os.environ.get("AUDIOFIX_GOLDEN", Path(__file__).parent / "golden")) / "scan"
CASES = sorted(path.stem for path in GOLDEN.glob("*.npz"))
NAMES = ("u", "delta", "A", "B", "C", "D", "delta_bias")

# Of the largest value of each array. float64 repeats the golden computation; float32 rounds the
# decay at every step, and sums gradients over many.
TOLERANCES = {torch.float64: (1e-10, 1e-10), torch.float32: (1e-4, 1e-3)}


def test_there_are_cases() -> None:
    assert len(CASES) == 16


@pytest.mark.parametrize("case", CASES)
def test_reference_in_float64(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOFIX_SCAN", "reference")
    compare(case, torch.float64, "cpu")


@pytest.mark.parametrize("case", CASES)
def test_native_on_the_cpu(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not uses_native(torch.empty(1)):
        pytest.skip("the CPU library is not built")
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    compare(case, torch.float32, "cpu")


@pytest.mark.cuda
@pytest.mark.parametrize("case", CASES)
def test_native_on_cuda(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    compare(case, torch.float32, "cuda")


def compare(case: str, dtype: torch.dtype, device: str) -> None:
    golden = np.load(GOLDEN / f"{case}.npz")
    inputs: list[Tensor | None] = [
        torch.tensor(golden[name], dtype=dtype, device=device, requires_grad=True)
        if name in golden
        else None
        for name in NAMES
    ]
    out = selective_scan(*inputs, delta_softplus=bool(golden["delta_softplus"]))
    out.backward(torch.tensor(golden["dout"], dtype=dtype, device=device))
    values, gradients = TOLERANCES[dtype]
    assert_near("out", out.detach(), golden["out"], values)
    for name, tensor in zip(NAMES, inputs, strict=True):
        if tensor is not None:
            assert_near(f"d{name}", tensor.grad, golden[f"d{name}"], gradients)


def assert_near(name: str, got: Tensor, want: np.ndarray, tolerance: float) -> None:
    assert got.shape == want.shape, name
    difference = np.abs(got.double().cpu().numpy() - want).max()
    assert difference <= tolerance * np.abs(want).max(), f"{name}: {difference}"
