"""The selective scan of planes for inference: four routes in one pass, and the gated norm after it.

What SS2D (Liu et al., VMamba, 2024, section 4.2) does between its projections. On the CPU the
compiled kernels read planes as they lie; elsewhere, and where gradients are wanted, SS2D takes its
differentiable way, whose values these equal up to rounding.
"""

import torch
from torch import Tensor

from audiofix.ops import native
from audiofix.ops.selection import uses_native


def runs_natively(plane: Tensor, state: int) -> bool:
    """Return whether the kernels below take this plane, `[batch, channels, height, width]`."""
    return (
        plane.device.type == "cpu"
        and not torch.is_grad_enabled()
        # Products under autocast come out in half precision, which the kernels would misread.
        and not torch.is_autocast_enabled("cpu")
        and state <= native.MAX_STATE
        and plane.shape[2] <= native.MAX_HEIGHT
        and uses_native(plane)
    )


def plane_scan(
    plane: Tensor, projected: Tensor, step_weight: Tensor, step_bias: Tensor, A: Tensor, D: Tensor
) -> Tensor:
    """Return the sum of four selective scans of each plane.

    The routes are: row by row, column by column, and both from their ends. The step of a route is
    `softplus(step_bias + step_weight @ factors)`. No gradient; ask `runs_natively` first.

    Args:
        plane: `[batch, channels, height, width]`.
        projected: `[batch, 4, rank + 2 * state, height, width]`; a route's factors, B and C, all in
            the plane's own order.
        step_weight: `[4, channels, rank]`.
        step_bias: `[4, channels]`.
        A: `[4, channels, state]`, negative for a decay.
        D: `[4, channels]`, the skip.

    Returns:
        `[batch, channels, height, width]`.
    """
    inputs = (plane, projected, step_weight, step_bias, A, D)
    exact = tuple(tensor.float().contiguous() for tensor in inputs)
    return native.plane_scan(exact, A.shape[2], step_weight.shape[2])


def convolve(plane: Tensor, convolution: torch.nn.Conv2d) -> Tensor:
    """Return `silu(convolution(plane))` of a 3 x 3 convolution of each channel by itself.

    Args:
        plane: `[batch, channels, height, width]`; only its items may lie apart.
        convolution: one filter per channel, zeros around the plane, with a bias.
    """
    assert convolution.bias is not None
    return native.convolve(plane, convolution.weight, convolution.bias)


def norm_gate(x: Tensor, gate: Tensor, norm: torch.nn.LayerNorm) -> Tensor:
    """Return `norm(x) * silu(gate)` with the channels of both on axis 1; see `plane_scan`.

    Args:
        x: `[batch, channels, places]`.
        gate: the same shape; only its items may lie apart.
        norm: a norm over the channels.
    """
    return native.norm_gate(x.contiguous(), gate, norm.weight, norm.bias, norm.eps)


_FEW = 16
"""Channels up to which a product by rows of places is quicker than one of matrices."""


def project(places: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `weight @ places + bias` for `[batch, inputs, places]`; see `plane_scan`."""
    if max(weight.shape) <= _FEW:
        return native.project(places.contiguous(), weight.contiguous(), bias, gelu=False)
    output = torch.bmm(weight.expand(places.shape[0], -1, -1), places)  # without matmul's copies
    return output if bias is None else output + bias[:, None]


def perceive(places: Tensor, first: torch.nn.Linear, second: torch.nn.Linear) -> Tensor:
    """Return the perceptron's output for few channels, `[batch, channels, places]`.

    Args:
        places: contiguous.
        first: the layer before the GELU.
        second: the layer after it.
    """
    hidden = native.project(places, first.weight, first.bias, gelu=True)
    return native.project(hidden, second.weight, second.bias, gelu=False)
