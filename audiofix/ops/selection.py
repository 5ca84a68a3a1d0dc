"""Which implementation runs: a compiled twin that has passed its self-test, or plain torch.

`AUDIOFIX_SCAN=native` or `reference` forces the choice.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from audiofix.errors import DeviceError, UsageError
from audiofix.ops import native
from audiofix.ops.self_test import gradient_errors, value_errors

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


def uses_native(tensor: Tensor, *, gradients: bool = False) -> bool:
    """Return whether the compiled twin serves this tensor's device and type.

    Args:
        tensor: the operator's input.
        gradients: whether it will be differentiated.

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
    twin = native.twin_of(tensor)
    found = gradient_condition(twin) if gradients else condition(twin)
    if wish == "native" and not found.runs:
        raise DeviceError(f"{VARIABLE}=native: {found.reason}")
    return found.runs


@cache
def condition(twin: native.Twin) -> Condition:
    """Load a twin and compare its values with the reference, once; a wrong one is reported.

    Some milliseconds: gradients are compared when they are first wanted (`gradient_condition`),
    since torch's differentiation loads a symbolic algebra that inference never needs.
    """
    try:
        loaded = native.library(twin)
    except DeviceError as error:
        log.warning("%s; using plain torch, which is slow", error)
        return Condition(built="not built" not in str(error), runs=False, reason=str(error))
    if twin == "cuda" and not torch.cuda.is_available():
        return Condition(built=True, runs=False, reason="no CUDA device")
    level = loaded.afx_cpu_level_name().decode() if twin == "cpu" else torch.cuda.get_device_name()
    return _verdict(twin, level, value_errors)


@cache
def gradient_condition(twin: native.Twin) -> Condition:
    """Compare the gradients of a twin whose values are right with the reference's, once."""
    values = condition(twin)
    return _verdict(twin, values.reason, gradient_errors) if values.runs else values


def _verdict(
    twin: native.Twin, level: str, errors: Callable[[torch.device], dict[str, float]]
) -> Condition:
    try:
        found = errors(torch.device(twin))
        worst = max(found, key=lambda name: found[name])
        wrong = ""
        if not all(error < _TOLERANCE for error in found.values()):
            wrong = f"{worst} differs by {found[worst]:.1e} of its largest value"
    except DeviceError as error:
        wrong = str(error)
    if wrong:
        log.error("the compiled scan for %s is wrong (%s); using plain torch", twin, wrong)
        return Condition(built=True, runs=False, reason=f"failed its self-test: {wrong}")
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
