"""AudioDec's vocoder: HiFi-GAN's generator (Kong et al., 2020), causal, optionally multi-group.

Attribute names are those of the authors' checkpoints. Layouts are those of `nn.conv`.
"""

import torch
from torch import Tensor, nn

from audiofix.backends.audiodec.config import VocoderConfig, table_of
from audiofix.backends.tasks import Config
from audiofix.nn.conv import CausalConv1d, CausalUpsample1d, PointwiseConv1d
from audiofix.nn.state import StreamState, is_time_major
from audiofix.nn.weight_norm import add_weight_norm
from audiofix.ops.convolution import leaky

_LAST_SLOPE = 0.01
"""Of the rectifier before the last convolution: torch's default, not the setting's."""


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each dilated, beside short cuts."""

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        dilations: tuple[int, ...],
        config: VocoderConfig,
        groups: int = 1,
    ) -> None:
        """Make a pair for each dilation."""
        super().__init__()
        self.activation = leaky(config.slope)

        def convolution(dilation: int) -> CausalConv1d:
            return CausalConv1d(
                channels,
                channels,
                kernel_size,
                dilation=dilation,
                groups=groups,
                bias=config.bias,
            )

        self.convs1 = nn.ModuleList(convolution(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(convolution(1) for _ in dilations)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `x`."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            inner = dilated(x, state, before=self.activation)
            x = plain(inner, state, before=self.activation, residual=x)
        return x


class MultiReceptiveField(nn.Module):
    """The mean of residual blocks of several kernels."""

    def __init__(self, channels: int, config: VocoderConfig) -> None:
        """Make a block for each kernel."""
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, kernel_size, dilations, config)
            for kernel_size, dilations in zip(
                config.resblock_kernel_sizes, config.resblock_dilations, strict=True
            )
        )

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `x`."""
        total = torch.zeros_like(x)
        for block in self.blocks:
            total = total + block(x, state)
        return total / len(self.blocks)


class MultiGroup(ResidualBlock):
    """A grouped residual block on copies of its input, one a group, joined at the end."""

    def __init__(self, channels: int, config: VocoderConfig) -> None:
        """Make the block and the convolution that joins its groups."""
        super().__init__(
            channels * config.groups,
            config.resblock_kernel_sizes[0],
            config.resblock_dilations[0],
            config,
            config.groups,
        )
        self.groups = config.groups
        self.conv_out = PointwiseConv1d(channels * config.groups, channels)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `x`."""
        if is_time_major(state):
            y = super().forward(x.expand(self.groups, -1, -1), state)
            y = y.transpose(0, 1).flatten(1)[None]
        else:
            y = super().forward(x.repeat(1, self.groups, 1), state)
        return self.conv_out(y, state)  # type: ignore[no-any-return]


class Vocoder(nn.Module):
    """Dequantised code vectors to sound."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        """Make the generator with fresh weights and statistics that change nothing."""
        super().__init__()
        self.config = config
        self.hop = config.hop
        self.register_buffer("mean", torch.zeros(config.in_channels))
        self.register_buffer("scale", torch.ones(config.in_channels))
        widths = [config.channels >> level for level in range(len(config.upsample_scales) + 1)]
        kernel, bias = config.kernel_size, config.bias
        self.input_conv = CausalConv1d(config.in_channels, widths[0], kernel, bias=bias)
        self.upsamples = nn.ModuleList(
            CausalUpsample1d(wide, narrow, scale, bias=bias)
            for wide, narrow, scale in zip(
                widths[:-1], widths[1:], config.upsample_scales, strict=True
            )
        )
        field = MultiGroup if config.multi_group else MultiReceptiveField
        self.blocks = nn.ModuleList(field(width, config) for width in widths[1:])
        self.output_conv = CausalConv1d(widths[-1], config.out_channels, kernel, bias=bias)
        if config.use_weight_norm:
            add_weight_norm(self)

    def forward(self, c: Tensor, state: StreamState | None = None) -> Tensor:
        """Return sound within ±1.

        Args:
            c: `[batch, in_channels, frames]`; time-major, `[1, frames, in_channels]`.
            state: the stream that `c` continues.

        Returns:
            `[batch, out_channels, frames * hop]`, or time-major as `c` is.
        """
        axis = (-1,) if is_time_major(state) else (-1, 1)
        h = self.input_conv((c - self.mean.view(axis)) / self.scale.view(axis), state)
        for upsample, block in zip(self.upsamples, self.blocks, strict=True):
            h = block(upsample(h, state, before=leaky(self.config.slope)), state)
        return torch.tanh(self.output_conv(h, state, before=leaky(_LAST_SLOPE)))


def build(config: Config) -> Vocoder:
    """Return the vocoder for an authors' or parity `config` object."""
    table = table_of(config, "vocoder_params", "generator_params")
    return Vocoder(VocoderConfig.from_mapping(table))
