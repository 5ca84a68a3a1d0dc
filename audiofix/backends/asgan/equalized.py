"""Equalised learning rate (Karras et al., 2018): weights of unit variance, scaled when used."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, linear


class EqualizedLinear(nn.Linear):
    """A linear layer whose weight and bias may be scaled at every call."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        equalized: bool,
        *,
        bias: bool = True,
        rate: float = 1.0,
    ) -> None:
        """Make the layer.

        Args:
            in_features: length of the input.
            out_features: length of the result.
            equalized: whether to scale; if not, this is `nn.Linear`.
            bias: whether there is one.
            rate: factor of weight and bias, which slows their learning by as much.
        """
        super().__init__(in_features, out_features, bias)
        self.weight_factor = rate / math.sqrt(in_features) if equalized else 1.0
        self.bias_factor = rate if equalized else 1.0
        if equalized and not self.weight.is_meta:
            nn.init.normal_(self.weight, std=1 / rate)
            if bias:
                nn.init.zeros_(self.bias)

    @property
    def scaled_weight(self) -> Tensor:
        """The weight as it is used, `[out_features, in_features]`."""
        return self.weight if self.weight_factor == 1 else self.weight * self.weight_factor

    def forward(self, x: Tensor) -> Tensor:
        """Return `[..., out_features]` of `[..., in_features]`."""
        bias = self.bias
        if bias is not None and self.bias_factor != 1:
            return linear(x, self.scaled_weight, bias * self.bias_factor)
        return linear(x, self.scaled_weight, bias)


class EqualizedConv1d(nn.Conv1d):
    """A convolution in time whose weight may be scaled at every call; half the kernel is padded."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        equalized: bool,
        *,
        stride: int = 1,
        bias: bool = True,
        fan_in: int | None = None,
    ) -> None:
        """Make the layer.

        Args:
            in_channels: of the input.
            out_channels: of the result.
            kernel_size: in frames.
            equalized: whether to scale; if not, this is `nn.Conv1d`.
            stride: frames of input a frame of the result.
            bias: whether there is one.
            fan_in: that the scale is made of; None for the weight's.
        """
        super().__init__(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=bias
        )
        fan_in = fan_in or in_channels * kernel_size
        self.weight_factor = 1 / math.sqrt(fan_in) if equalized else 1.0
        if equalized and not self.weight.is_meta:
            nn.init.normal_(self.weight)
            if bias:
                nn.init.zeros_(torch.as_tensor(self.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, out_channels, ceil(time / stride)]` of `[batch, in_channels, time]`."""
        weight = self.weight if self.weight_factor == 1 else self.weight * self.weight_factor
        return conv1d(x, weight, self.bias, self.stride, self.padding)
