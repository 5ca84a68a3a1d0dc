"""Non-causal twins of the convolutions of `nn.conv`, for whole signals only."""

from torch import Tensor, nn

from audiofix.nn.conv import PointwiseConv1d, completed
from audiofix.nn.state import StreamState
from audiofix.ops.convolution import IDENTITY, Activation


class CentredConv1d(nn.Module):
    """The non-causal twin of `nn.conv.CausalConv1d`: zeros on both sides; cannot stream."""

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
        """Make the convolution."""
        super().__init__()
        padding = (kernel_size - 1) // 2 * dilation
        self.conv = nn.Conv1d(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )

    def forward(
        self,
        x: Tensor,
        state: StreamState | None = None,
        *,
        before: Activation = IDENTITY,
        then: PointwiseConv1d | None = None,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Return `[batch, out_channels, about time / stride]`; see `CausalConv1d.forward`."""
        assert state is None
        return completed(self.conv(before(x)), state, before, then, residual)


class CentredUpsample1d(nn.Module):
    """The non-causal twin of `nn.conv.CausalUpsample1d`; cannot stream."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, *, bias: bool = True
    ) -> None:
        """Make the transposed convolution."""
        super().__init__()
        self.deconv = nn.ConvTranspose1d(
            in_channels, out_channels, 2 * stride, stride, (stride + 1) // 2, stride % 2, bias=bias
        )

    def forward(
        self, x: Tensor, state: StreamState | None = None, *, before: Activation = IDENTITY
    ) -> Tensor:
        """Return `[batch, out_channels, time * stride]`; `before` is applied to `x` first."""
        assert state is None
        return self.deconv(before(x))  # type: ignore[no-any-return]
