"""The public selective scan: checks its arguments and runs the best implementation there is."""

import torch
from torch import Tensor

from audiofix.errors import AudiofixError
from audiofix.ops.selective_scan_reference import selective_scan_reference


class ShapeError(AudiofixError, ValueError):
    """An argument of an operator has a shape or type that does not fit the others."""


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Return the selective scan of `u` (Gu and Dao, Mamba, 2023). Differentiable.

    With s = delta + delta_bias and step = softplus(s) or s, per row and state n:

        h[t] = exp(step[t] A[n]) h[t-1] + step[t] B[t, n] u[t],   h[-1] = 0
        out[t] = sum over n of C[t, n] h[t, n]  +  D u[t]

    Args:
        u: `[batch, dim, length]`.
        delta: `[batch, dim, length]`.
        A: `[dim, state]`, negative for a decay.
        B: `[batch, groups, state, length]`; row j belongs to group `j * groups // dim`.
        C: the shape of `B`.
        D: `[dim]`, the skip; None for no skip.
        delta_bias: `[dim]`; None for no bias.
        delta_softplus: whether the step is softplus of delta and bias.

    Returns:
        `[batch, dim, length]`.

    Raises:
        ShapeError: names the argument that does not fit.
    """
    _check(u, delta, A, B, C, D, delta_bias)
    return selective_scan_reference(u, delta, A, B, C, D, delta_bias, delta_softplus)


def _check(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
) -> None:
    if u.ndim != 3:
        raise ShapeError(f"u: shape {tuple(u.shape)}: must be [batch, dim, length]")
    batch, dim, length = u.shape
    if A.ndim != 2 or A.shape[0] != dim:
        raise ShapeError(f"A: shape {tuple(A.shape)}: must be [{dim}, state]")
    if B.ndim != 4 or B.shape[1] < 1 or dim % B.shape[1]:
        raise ShapeError(
            f"B: shape {tuple(B.shape)}: must be [batch, groups, state, length], groups dividing {dim}"
        )
    grouped = (batch, B.shape[1], A.shape[1], length)
    expected = {
        "delta": (delta, (batch, dim, length)),
        "B": (B, grouped),
        "C": (C, grouped),
        "D": (D, (dim,)),
        "delta_bias": (delta_bias, (dim,)),
    }
    for name, (tensor, shape) in expected.items():
        if tensor is None:
            continue
        if tuple(tensor.shape) != shape:
            raise ShapeError(f"{name}: shape {tuple(tensor.shape)}: must be {shape}")
        if tensor.device != u.device:
            raise ShapeError(f"{name}: on {tensor.device}: must be on {u.device} like u")
    if not torch.is_floating_point(u):
        raise ShapeError(f"u: type {u.dtype}: must be a floating-point type")
