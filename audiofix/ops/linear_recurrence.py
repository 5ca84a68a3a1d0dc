"""The first-order linear recurrence `y[t] = a[t] y[t-1] + b[t]`: filters, envelopes, scans."""

from typing import Any

import torch
from torch import Tensor

from audiofix.ops import native
from audiofix.ops.linear_recurrence_reference import linear_recurrence_reference
from audiofix.ops.selection import uses_native


def linear_recurrence(a: Tensor, b: Tensor, *, reverse: bool = False) -> Tensor:
    """Return y with `y[t] = a[t] * y[t-1] + b[t]` along the last axis, from 0. Differentiable.

    Args:
        a: `[..., length]`, the factors; `a[..., 0]` has no effect.
        b: the same shape and type, the inputs.
        reverse: run from the end: `y[t] = a[t] * y[t+1] + b[t]`.

    Returns:
        The same shape and type.

    Raises:
        ValueError: `a` and `b` differ in shape or type.
    """
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(
            f"a: {a.dtype} {tuple(a.shape)}: must be {b.dtype} {tuple(b.shape)} like b"
        )
    if not b.numel():
        return b.clone()
    y: Tensor = _recur(a.contiguous(), b.contiguous(), reverse)
    return y


@torch.library.custom_op("audiofix::linear_recurrence", mutates_args=())
def _recur(a: Tensor, b: Tensor, reverse: bool) -> Tensor:
    if not b.is_cuda and uses_native(b):
        return native.recurrence(a, b, reverse)
    return linear_recurrence_reference(a, b, reverse=reverse)


@_recur.register_fake
def _(a: Tensor, b: Tensor, reverse: bool) -> Tensor:
    return torch.empty_like(b)


def _remember(ctx: Any, inputs: tuple[Tensor, Tensor, bool], output: Tensor) -> None:
    a, _, ctx.reverse = inputs
    ctx.save_for_backward(a, output)


def _differentiate(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
    # dL/db runs the other way: g[t] = dL/dy[t] + a[t+1] g[t+1]; dL/da[t] = y[t-1] g[t].
    a, y = ctx.saved_tensors
    edge = torch.zeros_like(a[..., :1])
    if ctx.reverse:
        factors, before = [edge, a[..., :-1]], [y[..., 1:], edge]
    else:
        factors, before = [a[..., 1:], edge], [edge, y[..., :-1]]
    to_b = linear_recurrence(torch.cat(factors, dim=-1), gradient, reverse=not ctx.reverse)
    return to_b * torch.cat(before, dim=-1), to_b, None


_recur.register_autograd(_differentiate, setup_context=_remember)
