"""The selective scan in plain torch: the twin that is obviously right.

Gu and Dao, Mamba, 2023, section 3.2, with B and C shared by groups of rows. The states of all
steps are held in memory, and the gradients come from torch's own differentiation of the steps
around the recurrence.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from audiofix.ops.linear_recurrence_reference import linear_recurrence_reference

SOFTPLUS_THRESHOLD = 20.0
"""Above it softplus(s) is s; torch's default and the compiled kernels' rule."""


def selective_scan_reference(
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
    """Return the selective scan of `u`; see `selective_scan` for shapes and formula."""
    rows_per_group = u.shape[1] // B.shape[1]
    forward_rows = u.shape[1] - reversed_groups * rows_per_group
    step = delta if delta_bias is None else delta + delta_bias[:, None]
    if delta_softplus:
        step = softplus(step, threshold=SOFTPLUS_THRESHOLD)
    result = torch.zeros_like(u) if D is None else D[:, None] * u
    # One state at a time: memory stays at a few arrays of u's size instead of `state` times that.
    for n in range(A.shape[1]):
        decay = torch.exp(step * A[:, n, None])
        gain = step * B[:, :, n].repeat_interleave(rows_per_group, dim=1) * u
        states = [_recur(decay[:, :forward_rows], gain[:, :forward_rows])]
        if reversed_groups:
            flipped = (decay[:, forward_rows:].flip(-1), gain[:, forward_rows:].flip(-1))
            states.append(_recur(*flipped).flip(-1))
        state = torch.cat(states, dim=1)
        result = result + C[:, :, n].repeat_interleave(rows_per_group, dim=1) * state
    return result


def _recur(a: Tensor, b: Tensor) -> Tensor:
    y: Tensor = _Recurrence.apply(a, b)  # type: ignore[no-untyped-call]
    return y


class _Recurrence(torch.autograd.Function):
    """`linear_recurrence` with its gradient: the same recurrence run from the end."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        y = linear_recurrence_reference(a, b)
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        a, y = ctx.saved_tensors
        # dL/db[t] = dL/dy[t] + a[t+1] dL/db[t+1]; dL/da[t] = y[t-1] dL/db[t]
        following = torch.cat([a[..., 1:], torch.zeros_like(a[..., :1])], dim=-1)
        to_b = linear_recurrence_reference(following, gradients[0], reverse=True)
        previous = torch.cat([torch.zeros_like(y[..., :1]), y[..., :-1]], dim=-1)
        return to_b * previous, to_b
