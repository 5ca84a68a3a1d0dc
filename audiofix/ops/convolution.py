"""A convolution along time for streams on the CPU, as one call of a compiled kernel.

The kernel computes a step's sum in one order however a stream is cut, so cuts do not change bits.
The layers of `nn.conv` without a kernel are its twin that is obviously right.
"""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import elu, leaky_relu, pad

from audiofix.ops import native, structures


class Activation(NamedTuple):
    """What a convolution's input passes first: an identity, ELU or leaky ReLU of some slope."""

    code: int
    slope: float = 0.0

    def __call__(self, x: Tensor) -> Tensor:
        """Return the activated tensor."""
        if self.code == ELU.code:
            return elu(x)
        return x if self.code == IDENTITY.code else leaky_relu(x, self.slope)


IDENTITY, ELU = Activation(0), Activation(1)


def leaky(slope: float) -> Activation:
    """Return a leaky ReLU of this slope."""
    return Activation(2, slope)


class TimeConvolution:
    """Weights packed for the kernel. Not a module: it follows no later training."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, *, stride: int = 1, dilation: int = 1
    ) -> None:
        """Pack the weights.

        Args:
            weight: `[groups, outputs, inputs, taps]`, the oldest tap first.
            bias: `[groups, outputs]`.
            stride: input steps for each output step.
            dilation: steps from tap to tap.
        """
        groups, outputs, inputs, taps = weight.shape
        self.stride, self.outputs = stride, outputs
        self.history_shape = groups, (taps - 1) * dilation, inputs
        columns = _wide(weight.detach().permute(0, 3, 2, 1)).unflatten(3, (-1, native.COLUMNS))
        packed = columns.permute(0, 3, 1, 2, 4).contiguous()
        biases = None if bias is None else _wide(bias.detach()).contiguous()
        self._tensors = packed, biases  # the structure points into them
        self.weights = structures.Convolution(
            *(groups, inputs, outputs, taps, stride, dilation),
            packed.data_ptr(),
            None if biases is None else biases.data_ptr(),
        )

    def __call__(
        self,
        x: Tensor,
        history: Tensor,
        activation: Activation,
        *,
        then: "TimeConvolution | None" = None,
        residual: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the next steps of a stream and the history that goes with the next call.

        Args:
            x: `[groups, time, inputs]`, any time but 0; the last input ends a stride.
            history: the inputs before, `[groups, (taps - 1) * dilation, inputs]`.
            activation: of inputs, those of the history too.
            then: a convolution of one tap that follows, after the same activation.
            residual: is added; of the result's shape, `[groups, ceil(time / stride), outputs]`.
        """
        groups, time, inputs = x.shape
        x = x if x.stride()[1:] == (inputs, 1) else x.contiguous()
        last = then or self
        out = x.new_empty(groups, -(-time // self.stride), last.outputs)
        added = None if residual is None else residual.contiguous()
        follows = None if then is None else then.weights
        kept = native.convolve_time(self.weights, follows, x, history, added, activation, out)
        return out, kept


def _wide(array: Tensor) -> Tensor:
    """Pad the last axis with zeros to a multiple of the kernel's panel."""
    return pad(array, (0, -array.shape[-1] % native.COLUMNS))
