"""The first-order linear recurrence `y[t] = a[t] y[t-1] + b[t]`, in parallel and in plain torch.

Two neighbouring steps compose into one step of the same kind, (a, b) then (a', b') being
(a a', a' b + b'), so the odd-numbered results obey a recurrence of half the length, and the even
ones follow from their left neighbours. No running product is ever divided by, so fast decays,
whose products underflow, stay exact (Blelloch, Prefix sums and their applications, 1990).
"""

from torch import Tensor


def linear_recurrence_reference(a: Tensor, b: Tensor, *, reverse: bool = False) -> Tensor:
    """Return y with `y[t] = a[t] * y[t-1] + b[t]` along the last axis, starting from 0.

    Args:
        a: `[..., length]`, the decays; `a[..., 0]` has no effect.
        b: the same shape, the inputs.
        reverse: run from the end: `y[t] = a[t] * y[t+1] + b[t]`.

    Returns:
        The same shape and type.
    """
    if reverse:
        return _recur(a.flip(-1), b.flip(-1)).flip(-1)
    return _recur(a, b)


def _recur(a: Tensor, b: Tensor) -> Tensor:
    length = b.shape[-1]
    if length < 2:
        return b.clone()
    pairs = length // 2
    left_a, left_b = a[..., 0 : 2 * pairs : 2], b[..., 0 : 2 * pairs : 2]
    right_a, right_b = a[..., 1::2], b[..., 1::2]
    odd = _recur(right_a * left_a, right_b + right_a * left_b)
    result = b.clone()
    result[..., 1::2] = odd
    heads = (length - 1) // 2
    result[..., 2::2] += a[..., 2::2] * odd[..., :heads]
    return result
