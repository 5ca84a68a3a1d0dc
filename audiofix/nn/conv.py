"""Convolutions along time that see the past only, for whole signals and for endless streams.

A whole signal is `[batch, channels, time]`. A stream is laid out time-major, `[groups, time,
channels]`, wherever a compiled kernel serves (`ops.convolution`), which activates a layer's input
and adds a residual on its way. Without it a time-major convolution is one matrix product over the
taps; that takes half the time for blocks of a few steps, and more time for long ones, so that
streams in long blocks are then laid out as whole signals are. Attribute names are those of
AudioDec's checkpoints.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from audiofix.nn.state import StreamState, is_time_major
from audiofix.ops.convolution import IDENTITY, Activation, TimeConvolution
from audiofix.ops.selection import uses_native


class StreamingLayer(nn.Module, ABC):
    """A layer whose weights are repacked for time-major streams; see `pack_weights`."""

    packed: Tensor
    """`[groups, columns, out_channels]`: what a row of gathered taps is multiplied by."""

    kernel: TimeConvolution | None = None
    """Continues time-major streams, where it serves."""

    @abstractmethod
    def pack(self) -> Tensor:
        """Return `packed` from the layer's weights."""

    @abstractmethod
    def pack_kernel(self) -> TimeConvolution | None:
        """Return `kernel` from the layer's weights; None where another way is faster."""

    def _continue(
        self,
        x: Tensor,
        state: StreamState,
        before: Activation,
        then: TimeConvolution | None = None,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Return what the kernel makes of a time-major stream's next steps."""
        assert self.kernel is not None
        (history,) = state.kept(self) or (self._beginning(self.kernel, x, state),)
        y, history = self.kernel(x, history, before, then=then, residual=residual)
        state.keep(self, history)
        return y

    def _beginning(self, kernel: TimeConvolution, x: Tensor, state: StreamState) -> Tensor:
        """Return the history before the first steps, `x`, of a stream."""
        del state
        return x.new_zeros(kernel.history_shape)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **named: Any
    ) -> None:
        # Published files hold the history of some forgotten stream under this name.
        state_dict.pop(f"{prefix}pad_buffer", None)
        super()._load_from_state_dict(state_dict, prefix, *rest, **named)


def pack_weights(network: nn.Module) -> None:
    """Ready a network, its weight norms folded, for time-major streams, in place."""
    for module in network.modules():
        if isinstance(module, StreamingLayer | PointwiseConv1d) and serves(module):
            module.kernel = module.pack_kernel()
        elif isinstance(module, StreamingLayer):
            module.register_buffer("packed", module.pack().detach(), persistent=False)


def serves(network: nn.Module) -> bool:
    """Return whether the kernel computes with weights of the network's device and type."""
    weight = next(network.parameters())
    return weight.device.type == "cpu" and uses_native(weight)


class CausalConv1d(StreamingLayer):
    """A convolution whose outputs depend on their own and earlier samples."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        """Make the convolution. Its reach is `(kernel_size - 1) * dilation` samples back."""
        super().__init__()
        self.conv = nn.Conv1d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.reach = (kernel_size - 1) * dilation

    def forward(
        self,
        x: Tensor,
        state: StreamState | None = None,
        *,
        before: Activation = IDENTITY,
        then: "PointwiseConv1d | None" = None,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Convolve along time.

        A whole signal is padded with zeros on the left: output j ends at sample `j * stride`.
        With `state` the layer continues a stream, and its outputs end with the last sample of
        each `stride`. To have them where a whole signal has them, a stream begins with a call of
        one sample.

        Args:
            x: `[batch, in_channels, time]`; time-major, `[groups, time, in_channels / groups]`.
                In a stream, time is a multiple of the stride but in the first call.
            state: the stream that `x` continues.
            before: what `x` passes first.
            then: what the result passes, after the same activation.
            residual: is added at the end.

        Returns:
            `[batch, out_channels, ceil(time / stride)]`, or time-major as `x` is.
        """
        if self.kernel is not None and state is not None and state.time_major:
            follows = None if then is None else then.kernel
            assert then is None or follows is not None
            return self._continue(x, state, before, follows, residual)
        return completed(self._convolved(before(x), state), state, before, then, residual)

    def _convolved(self, x: Tensor, state: StreamState | None) -> Tensor:
        if state is None:
            return self.conv(pad(x, (self.reach, 0)))  # type: ignore[no-any-return]
        time = x.shape[1 if state.time_major else 2]
        stride = self.conv.stride[0]
        outputs = -(-time // stride)
        window = state.extend(self, x, (outputs - 1) * stride + 1 + self.reach - time)
        if not state.time_major:
            return self.conv(window)  # type: ignore[no-any-return]
        return self._product(window, outputs)

    def _product(self, window: Tensor, outputs: int) -> Tensor:
        groups, _, channels = window.shape
        kernel, stride, dilation = (
            size[0] for size in (self.conv.kernel_size, self.conv.stride, self.conv.dilation)
        )
        taps = window.as_strided(
            (groups, outputs, kernel, channels),
            (window.stride(0), stride * channels, dilation * channels, 1),
        )
        return self._multiplied(taps.reshape(groups, outputs, kernel * channels))

    def _multiplied(self, rows: Tensor) -> Tensor:
        if self.conv.bias is None:
            return torch.bmm(rows, self.packed)
        return torch.baddbmm(self.conv.bias.view(len(rows), 1, -1), rows, self.packed)

    def pack(self) -> Tensor:
        """Return the weights as `[groups, kernel * in_channels, out_channels]` of a group."""
        weight: Tensor = self.conv.weight.unflatten(0, (self.conv.groups, -1))
        return weight.permute(0, 3, 2, 1).flatten(1, 2).contiguous()

    def pack_kernel(self) -> TimeConvolution | None:
        """Return the weights packed for the kernel."""
        groups, bias = self.conv.groups, self.conv.bias
        return TimeConvolution(
            self.conv.weight.unflatten(0, (groups, -1)),
            None if bias is None else bias.unflatten(0, (groups, -1)),
            stride=self.conv.stride[0],
            dilation=self.conv.dilation[0],
        )


class CausalDepthwiseConv1d(CausalConv1d):
    """A convolution of every channel by itself, without stride or dilation."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        """Make the convolution. Its reach is `kernel_size - 1` samples back."""
        super().__init__(channels, channels, kernel_size, groups=channels)

    def _convolved(self, x: Tensor, state: StreamState | None) -> Tensor:
        """Return the shape of `x`, `[batch, channels, time]` or, time-major, `[1, time, channels]`.

        Unlike other grouped convolutions it keeps its channels together in both layouts.
        """
        if state is None or not state.time_major:
            return super()._convolved(x, state)
        window, time = state.extend(self, x, self.reach), x.shape[1]
        assert self.conv.bias is not None
        y = self.conv.bias.expand(x.shape)
        for tap, weight in enumerate(self.conv.weight[:, 0].unbind(1)):
            y = torch.addcmul(y, window.narrow(1, tap, time), weight)
        return y

    def pack_kernel(self) -> None:
        """Return None: a channel by itself fills no vector of outputs."""


class CausalUpsample1d(StreamingLayer):
    """A transposed convolution of kernel `2 * stride` that sees this frame and the one before.

    `y[t * stride + r] = bias + w[:, :, r] x[t] + w[:, :, stride + r] x[t - 1]`; before the first
    frame of a whole signal comes the same frame again.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, *, bias: bool = True
    ) -> None:
        """Make the transposed convolution."""
        super().__init__()
        self.deconv = nn.ConvTranspose1d(in_channels, out_channels, 2 * stride, stride, bias=bias)

    def forward(
        self, x: Tensor, state: StreamState | None = None, *, before: Activation = IDENTITY
    ) -> Tensor:
        """Return `stride` times as many steps.

        Args:
            x: `[batch, in_channels, time]`; time-major, `[1, time, in_channels]`.
            state: the stream that `x` continues.
            before: what `x` passes first.

        Returns:
            `[batch, out_channels, time * stride]`, or time-major as `x` is.
        """
        stride = self.deconv.stride[0]
        if self.kernel is not None and state is not None and state.time_major:
            y = self._continue(x, state, before)
            return y.view(1, x.shape[1] * stride, -1)
        x = before(x)
        if state is None:
            window = torch.cat([x[:, :, :1], x], dim=2)
        else:
            window = state.extend_frames(self, x)
        if is_time_major(state):
            return self._product(window, x.shape[1] * stride)
        return self.deconv(window)[:, :, stride:-stride]  # type: ignore[no-any-return]

    def _product(self, window: Tensor, outputs: int) -> Tensor:
        _, steps, channels = window.shape
        pairs = window.as_strided((1, steps - 1, 2 * channels), (0, channels, 1))
        y = torch.bmm(pairs, self.packed).view(1, outputs, -1)
        return y if self.deconv.bias is None else y + self.deconv.bias

    def pack(self) -> Tensor:
        """Return the weights as `[1, 2 * in_channels, stride * out_channels]`, x[t - 1] first."""
        now, before = self.deconv.weight.chunk(2, dim=2)
        columns = torch.cat([before, now]).transpose(1, 2)
        return columns.flatten(1)[None].contiguous()

    def pack_kernel(self) -> TimeConvolution:
        """Return the weights, two taps and `stride * out_channels` outputs, for the kernel."""
        stride, bias = self.deconv.stride[0], self.deconv.bias
        now, before = self.deconv.weight.chunk(2, dim=2)
        weight = torch.stack([before, now], dim=3).permute(2, 1, 0, 3).flatten(0, 1)
        return TimeConvolution(weight[None], None if bias is None else bias.repeat(stride)[None])

    def _beginning(self, kernel: TimeConvolution, x: Tensor, state: StreamState) -> Tensor:
        if state.beginning == "replicate":
            return x[:, :1].clone()
        return super()._beginning(kernel, x, state)


class PointwiseConv1d(nn.Conv1d):
    """A convolution of kernel 1: every step by itself."""

    kernel: TimeConvolution | None = None
    """Continues time-major streams, where it serves."""

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = False) -> None:
        """Make the convolution."""
        super().__init__(in_channels, out_channels, 1, bias=bias)

    def forward(
        self,
        x: Tensor,
        state: StreamState | None = None,
        *,
        before: Activation = IDENTITY,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Return `[batch, out_channels, time]`, or time-major as `x` is; see `CausalConv1d`."""
        if self.kernel is not None and is_time_major(state):
            nothing = x.new_empty(self.kernel.history_shape)
            return self.kernel(x, nothing, before, residual=residual)[0]
        x = before(x)
        if is_time_major(state):
            y = linear(x, self.weight[:, :, 0], self.bias)
        else:
            y = super().forward(x)
        return y if residual is None else residual + y

    def pack_kernel(self) -> TimeConvolution:
        """Return the weights packed for the kernel."""
        return TimeConvolution(self.weight[None], None if self.bias is None else self.bias[None])


def completed(
    y: Tensor,
    state: StreamState | None,
    before: Activation,
    then: PointwiseConv1d | None,
    residual: Tensor | None,
) -> Tensor:
    """Return a convolution's result `y` after what follows it; see `CausalConv1d.forward`."""
    if then is not None:
        y = then(y, state, before=before)
    return y if residual is None else residual + y
