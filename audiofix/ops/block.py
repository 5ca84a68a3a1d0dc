"""A visual state-space block for inference on the CPU, as one call of a compiled kernel.

Liu et al., VMamba, 2024, figure 3. The kernel keeps a place's channels in the nearest cache from
one product to the next; the layers of `backends.vmasr.blocks` are its twin that is obviously right.
"""

from dataclasses import dataclass
from math import log

from torch import Tensor, bfloat16
from torch.nn.functional import pad

from audiofix.ops import native, structures

_DEPTH = 32
"""Inputs that a matrix unit multiplies together."""


@dataclass(frozen=True, slots=True)
class BlockTensors:
    """The weights of a block of one state a channel, as its layers hold them.

    Attributes:
        norm: weight and bias of the outer norms, `[2, channels]`; None for no outer norms.
        in_proj: `[2 * inner, channels]`, values first, then the gate.
        convolution: `[inner, 1, 3, 3]`.
        convolution_bias: `[inner]`.
        x_proj: `[4, rank + 2, inner]`: a route's factors of the step, B and C.
        step_weight: `[4, inner, rank]`.
        step_bias: `[4, inner]`.
        A: `[4, inner]`, negative for a decay.
        D: `[4, inner]`.
        out_norm: `[2, inner]`.
        out_proj: `[channels, inner]`.
        norm2: as `norm`, before the perceptron.
        first: `[hidden, channels]`.
        first_bias: `[hidden]`.
        second: `[channels, hidden]`.
        second_bias: `[channels]`.
    """

    norm: Tensor | None
    in_proj: Tensor
    convolution: Tensor
    convolution_bias: Tensor
    x_proj: Tensor
    step_weight: Tensor
    step_bias: Tensor
    A: Tensor
    D: Tensor
    out_norm: Tensor
    out_proj: Tensor
    norm2: Tensor | None
    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor


class FusedBlock:
    """A block's weights, packed for the kernel. Not a module: it follows no later training."""

    def __init__(self, tensors: BlockTensors, epsilon: float, *, bfloat16: bool = False) -> None:
        """Pack the weights.

        Args:
            tensors: what the layers hold.
            epsilon: that of all norms.
            bfloat16: multiply in bfloat16, where the processor has matrix units for it. Elsewhere
                that would gain nothing, and products stay float32.
        """
        inner, rank = tensors.step_weight.shape[1:]
        hidden = tensors.first.shape[0]
        self.bfloat16 = bfloat16 and native.has_matrix_units() and hidden <= native.MAX_DEPTH
        products = {
            name: (_pairs if self.bfloat16 else _panels)(weight.detach().float())
            for name, weight in _products(tensors).items()
        }
        packed = {name: t.detach().float().contiguous() for name, t in _packed(tensors).items()}
        self._tensors = packed | products  # the structure points into them
        self._weights = structures.BlockWeights(
            *(tensors.in_proj.shape[1], inner, hidden, rank, epsilon, self.bfloat16)
        )
        for name, tensor in self._tensors.items():
            setattr(self._weights, name, tensor.data_ptr())

    def __call__(self, x: Tensor) -> Tensor:
        """Return the block's output for float32 `[batch, height, width, channels]` on the CPU."""
        return native.block(self._weights, x)


def fits(channels: int, inner: int, rank: int, state: int) -> bool:
    """Return whether the kernel takes a block of these sizes, and is worth it.

    Lanes are channels: with few of them a vector is mostly empty, and the plane kernels, whose
    lanes are places, are quicker.
    """
    return (
        state == 1
        and native.PANEL // 2 <= inner <= native.MAX_INNER
        and channels <= native.MAX_BLOCK
        and rank <= native.MAX_RANK
    )


def _products(tensors: BlockTensors) -> dict[str, Tensor]:
    """Return the weights of products, `[outputs, inputs]`, named as in `afx_block_weights`."""
    rank = tensors.step_weight.shape[2]
    # Steps in powers of two: softplus2(s / ln 2) ln 2 = softplus(s), and that last ln 2 goes to B.
    projection = tensors.x_proj.clone()
    projection[:, rank] *= log(2)
    values, gate = tensors.in_proj.chunk(2)
    return {
        "values": values,
        "gate": gate,
        "projection": projection.flatten(0, 1),
        "out": tensors.out_proj,
        "first": tensors.first,
        "second": tensors.second,
    }


def _packed(tensors: BlockTensors) -> dict[str, Tensor]:
    """Return the other arrays of `afx_block_weights` by name."""
    inner = tensors.step_weight.shape[1]
    arrays = {
        "convolution": _wide(tensors.convolution.reshape(inner, 9).t()),
        "convolution_bias": _wide(tensors.convolution_bias),
        "step_weight": _wide(tensors.step_weight.transpose(1, 2) / log(2)),
        "step_bias": _wide(tensors.step_bias / log(2)),
        "A": _wide(tensors.A),
        "D": _wide(tensors.D.sum(0)),
        "first_bias": _wide(tensors.first_bias),
        "second_bias": _wide(tensors.second_bias),
    }
    for name in ("norm", "out_norm", "norm2"):
        pair = getattr(tensors, name)
        if pair is not None:
            arrays[f"{name}_weight"], arrays[f"{name}_bias"] = pair
    return arrays


def _wide(array: Tensor) -> Tensor:
    """Pad the last axis with zeros to a multiple of the kernel's panel."""
    return pad(array, (0, -array.shape[-1] % native.PANEL))


def _panels(weight: Tensor) -> Tensor:
    """Return `[outputs, inputs]` as `[outputs / PANEL, inputs, PANEL]`."""
    panels: Tensor = _wide(weight.t()).unflatten(1, (-1, native.PANEL)).transpose(0, 1)
    return panels.contiguous()


def _pairs(weight: Tensor) -> Tensor:
    """Return `[outputs, inputs]` as `[outputs / PANEL, inputs / 2, PANEL, 2]` in bfloat16."""
    padded = pad(weight, (0, -weight.shape[1] % _DEPTH, 0, -weight.shape[0] % native.PANEL))
    pairs = padded.to(bfloat16).view(-1, native.PANEL, padded.shape[1] // 2, 2).transpose(1, 2)
    return pairs.contiguous()
