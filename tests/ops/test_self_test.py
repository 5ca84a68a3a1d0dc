import subprocess
import sys

import pytest
import torch

from audiofix.ops.selection import condition
from audiofix.ops.self_test import gradient_errors, value_errors

needs_native = pytest.mark.skipif(not condition("cpu").runs, reason=condition("cpu").reason)


@needs_native
def test_the_kernels_are_within_rounding_of_plain_torch() -> None:
    cpu = torch.device("cpu")
    assert set(value_errors(cpu)) == {"out", "planes", "convolution"}
    assert set(gradient_errors(cpu)) == {"u", "delta", "A", "B", "C", "D", "delta_bias"}
    assert max(value_errors(cpu).values()) < 1e-5
    assert max(gradient_errors(cpu).values()) < 1e-4


@needs_native
def test_inference_loads_no_symbolic_algebra() -> None:
    program = (
        "import sys, torch\n"
        "from audiofix.ops.selective_scan import selective_scan\n"
        "x = torch.ones(1, 2, 9)\n"
        "selective_scan(x, x, -torch.ones(2, 1), x[:, :1, None], x[:, :1, None])\n"
        "print('sympy' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "False"
