"""Which implementation runs: a compiled twin that has passed its self-test, or plain torch.

`AUDIOFIX_SCAN=native` or `reference` forces the choice.
"""

import logging
import os
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from audiofix.errors import DeviceError, UsageError
from audiofix.ops import native
from audiofix.ops.plane_scan_reference import plane_scan_reference
from audiofix.ops.selective_scan_reference import selective_scan_reference

log = logging.getLogger(__name__)

VARIABLE = "AUDIOFIX_SCAN"

_TOLERANCE = 1e-3
"""Of the largest value: wide enough for any rounding, far below any wrong kernel."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What one compiled twin is worth on this machine."""

    built: bool
    runs: bool
    reason: str
    """The instructions it uses, or why it does not run."""


def uses_native(tensor: Tensor) -> bool:
    """Return whether the compiled twin serves this tensor's device and type.

    Raises:
        DeviceError: `AUDIOFIX_SCAN=native`, and there is no sound twin for it.
        UsageError: `AUDIOFIX_SCAN` is something else than native or reference.
    """
    wish = os.environ.get(VARIABLE, "")
    if wish not in ("", "native", "reference"):
        raise UsageError(f"{VARIABLE}={wish}: unknown: set it to native or reference")
    if wish == "reference":
        return False
    kind = tensor.device.type
    if tensor.dtype not in native.TYPES.get(kind, {}):
        if wish == "native":
            raise DeviceError(f"{VARIABLE}=native: no kernel for {tensor.dtype} on {kind}")
        return False
    found = condition(native.twin_of(tensor))
    if wish == "native" and not found.runs:
        raise DeviceError(f"{VARIABLE}=native: {found.reason}")
    return found.runs


@cache
def condition(twin: native.Twin) -> Condition:
    """Load a twin and compare it with the reference, once; a wrong one is reported as an error."""
    try:
        loaded = native.library(twin)
    except DeviceError as error:
        log.warning("%s; using plain torch, which is slow", error)
        return Condition(built="not built" not in str(error), runs=False, reason=str(error))
    if twin == "cuda" and not torch.cuda.is_available():
        return Condition(built=True, runs=False, reason="no CUDA device")
    try:
        wrong = _self_test(torch.device(twin))
    except DeviceError as error:
        wrong = str(error)
    if wrong:
        log.error("the compiled scan for %s is wrong (%s); using plain torch", twin, wrong)
        return Condition(built=True, runs=False, reason=f"failed its self-test: {wrong}")
    level = loaded.afx_cpu_level_name().decode() if twin == "cpu" else torch.cuda.get_device_name()
    return Condition(built=True, runs=True, reason=level)


def describe() -> dict[str, str]:
    """Return for each twin whether it is built and runs, and why; `forced` if the user chose."""
    twins: tuple[native.Twin, ...] = ("cpu", "cuda")
    found = {}
    for twin in twins:
        state = condition(twin) if twin == "cpu" or torch.cuda.is_available() else None
        if state is None:
            found[twin] = "not used: no CUDA device"
        else:
            found[twin] = f"{'native' if state.runs else 'reference'}: {state.reason}"
    wish = os.environ.get(VARIABLE)
    return found | ({"forced": wish} if wish else {})


@torch.inference_mode(False)  # gradients are tested too, also when first used for inference
def _self_test(device: torch.device) -> str:
    """Return what is wrong with values or gradients on a small case, or nothing."""
    draw = torch.Generator().manual_seed(0)
    shapes = {"u": (1, 4, 67), "delta": (1, 4, 67), "A": (4, 2), "B": (1, 2, 2, 67)}
    shapes |= {"C": (1, 2, 2, 67), "D": (4,), "delta_bias": (4,)}
    tensors = {
        name: torch.randn(shape, generator=draw).to(device) for name, shape in shapes.items()
    }
    tensors["A"] = -tensors["A"].exp()
    weight = torch.randn(shapes["u"], generator=draw).to(device)
    with torch.enable_grad():
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
        expected = selective_scan_reference(
            **leaves,
            delta_softplus=True,
            reversed_groups=1,
        )
        wanted = torch.autograd.grad(expected, list(leaves.values()), weight)
    scan = native.Scan(**tensors, softplus=True, reversed_groups=1)
    out, checkpoints = native.scan_forward(scan, keep=True)
    gradients = native.scan_backward(scan, weight, checkpoints)
    pairs = zip(["out", *shapes], [out, *gradients], [expected.detach(), *wanted], strict=True)
    for name, got, want in pairs:
        difference = float((got - want).abs().max() / want.abs().max())
        if not difference < _TOLERANCE:
            return f"{name} differs by {difference:.1e} of its largest value"
    return _plane_self_test() if device.type == "cpu" else ""


def _plane_self_test() -> str:
    draw = torch.Generator().manual_seed(0)
    shapes = [(1, 3, 5, 19), (1, 4, 6, 5, 19), (4, 3, 2), (4, 3), (4, 3, 2), (4, 3)]
    tensors = [torch.randn(shape, generator=draw) for shape in shapes]
    tensors[4] = -tensors[4].exp()
    expected = plane_scan_reference(*tensors)
    difference = native.plane_scan(tuple(tensors), state=2, rank=2) - expected
    error = float(difference.abs().max() / expected.abs().max())
    return "" if error < _TOLERANCE else f"planes differ by {error:.1e} of their largest value"
