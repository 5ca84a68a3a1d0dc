"""The public selective scan: checks its arguments and runs the best implementation there is."""

from typing import Any

import torch
from torch import Tensor

from audiofix.errors import AudiofixError
from audiofix.ops import native
from audiofix.ops.selection import uses_native
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
    *,
    reversed_groups: int = 0,
) -> Tensor:
    """Return the selective scan of `u` (Gu and Dao, Mamba, 2023), in its shape and type.

    Differentiable. With s = delta + delta_bias and step = softplus(s) or s, per row and state n:

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
        reversed_groups: the last so many groups run from the end of time, h[length] = 0.

    Raises:
        ShapeError: names the argument that does not fit.
    """
    _check(native.Scan(u, delta, A, B, C, D, delta_bias, delta_softplus, reversed_groups))
    result_type, given = u.dtype, (u, delta, A, B, C, D, delta_bias)
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in given)
    dtype = u.dtype if _takes(u) else torch.promote_types(u.dtype, torch.float32)
    u, delta, B, C = (tensor.to(dtype).contiguous() for tensor in (u, delta, B, C))
    if A.shape[1] > native.MAX_STATE or not uses_native(u, gradients=keep):
        return selective_scan_reference(
            u, delta, A, B, C, D, delta_bias, delta_softplus, reversed_groups=reversed_groups
        ).to(result_type)
    A, D, delta_bias = A.float().contiguous(), _exact(D), _exact(delta_bias)
    arguments = (u, delta, A, B, C, D, delta_bias, delta_softplus, reversed_groups)
    if keep or torch.compiler.is_compiling():
        return _forward(*arguments, keep)[0].to(result_type)  # type: ignore[no-any-return]
    # Not through the dispatcher: its first call loads a symbolic algebra for a second.
    return native.scan_forward(native.Scan(*arguments), keep=False)[0].to(result_type)


def _takes(u: Tensor) -> bool:
    """Return whether a kernel takes `u` in its own type; half types go through float32 if not."""
    return u.dtype in native.TYPES.get(u.device.type, {}) and uses_native(u)


def _exact(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.float().contiguous()


_SCAN = (
    "Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? delta_bias, "
    "bool softplus, SymInt reversed_groups"
)
"""The schema of `native.Scan`."""


@torch.library.custom_op(
    "audiofix::selective_scan", mutates_args=(), schema=f"({_SCAN}, bool keep) -> (Tensor, Tensor)"
)
def _forward(*arguments: Any) -> tuple[Tensor, Tensor]:
    *scan, keep = arguments
    return native.scan_forward(native.Scan(*scan), keep)


@_forward.register_fake
def _(*arguments: Any) -> tuple[Tensor, Tensor]:
    *given, keep = arguments
    scan = native.Scan(*given)
    shape = native.checkpoint_shape(scan, keep)
    return torch.empty_like(scan.u), scan.u.new_empty(shape, dtype=torch.float32)


@torch.library.custom_op(
    "audiofix::selective_scan_backward",
    mutates_args=(),
    schema=f"(Tensor gradient, Tensor checkpoints, {_SCAN}) -> Tensor[]",
)
def _backward(gradient: Tensor, checkpoints: Tensor, *given: Any) -> list[Tensor]:
    scan = native.Scan(*given)
    return native.scan_backward(scan, gradient.to(scan.u.dtype).contiguous(), checkpoints)


@_backward.register_fake
def _(gradient: Tensor, checkpoints: Tensor, *given: Any) -> list[Tensor]:
    scan = native.Scan(*given)
    exact = [torch.empty_like(like, dtype=torch.float32) for like in (scan.A, scan.B, scan.C)]
    optional = [
        scan.A.new_empty(0 if like is None else scan.A.shape[0], dtype=torch.float32)
        for like in (scan.D, scan.delta_bias)
    ]
    return [torch.empty_like(scan.u), torch.empty_like(scan.u), *exact, *optional]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, softplus, reversed_groups, _ = inputs
    ctx.save_for_backward(output[1], *tensors)
    ctx.settings = (softplus, reversed_groups)


def _differentiate(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    checkpoints, *tensors = ctx.saved_tensors
    gradients = _backward(gradient, checkpoints, *tensors, *ctx.settings)
    own = [
        None if tensor is None else to.to(tensor.dtype)
        for tensor, to in zip(tensors, gradients, strict=True)
    ]
    return *own, None, None, None


_forward.register_autograd(_differentiate, setup_context=_remember)


def _check(scan: native.Scan) -> None:
    u, A, B = scan.u, scan.A, scan.B
    if u.ndim != 3:
        raise ShapeError(f"u: shape {tuple(u.shape)}: must be [batch, dim, length]")
    batch, dim, length = u.shape
    if A.ndim != 2 or A.shape[0] != dim:
        raise ShapeError(f"A: shape {tuple(A.shape)}: must be [{dim}, state]")
    if B.ndim != 4 or B.shape[1] < 1 or dim % B.shape[1]:
        raise ShapeError(
            f"B: shape {tuple(B.shape)}: must be [batch, groups, state, length], "
            f"groups dividing {dim}"
        )
    if not 0 <= scan.reversed_groups <= B.shape[1]:
        groups = scan.reversed_groups
        raise ShapeError(f"reversed_groups: {groups}: must be in 0 .. {B.shape[1]}")
    if not all(u.shape) or not A.shape[1]:
        raise ShapeError(f"u: shape {tuple(u.shape)}, A: {tuple(A.shape)}: no axis may be empty")
    grouped = (batch, B.shape[1], A.shape[1], length)
    expected = {
        "delta": (batch, dim, length),
        "A": (dim, A.shape[1]),
        "B": grouped,
        "C": grouped,
        "D": (dim,),
        "delta_bias": (dim,),
    }
    for name, shape in expected.items():
        tensor = getattr(scan, name)
        if tensor is None:
            continue
        if tuple(tensor.shape) != shape:
            raise ShapeError(f"{name}: shape {tuple(tensor.shape)}: must be {shape}")
        if tensor.device != u.device:
            raise ShapeError(f"{name}: on {tensor.device}: must be on {u.device} like u")
    if not torch.is_floating_point(u):
        raise ShapeError(f"u: type {u.dtype}: must be a floating-point type")
