"""AudioDec's autoencoder: encoder, projector, residual quantiser and the mirror-image decoder.

Attribute names are those of the authors' checkpoints. Layouts are those of `nn.conv`.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from audiofix.backends.audiodec.config import AutoencoderConfig, table_of
from audiofix.backends.audiodec.quantizer import Quantizer
from audiofix.backends.tasks import Config
from audiofix.nn.centred_conv import CentredConv1d, CentredUpsample1d
from audiofix.nn.conv import CausalConv1d, CausalUpsample1d, PointwiseConv1d
from audiofix.nn.state import StreamState, is_time_major
from audiofix.nn.weight_norm import add_weight_norm
from audiofix.ops.convolution import ELU, IDENTITY, Activation

_KERNEL = 7
_DILATIONS = (1, 3, 9)


class Reconstruction(NamedTuple):
    """What the autoencoder makes of a signal.

    Attributes:
        y: `[batch, output_channels, frames * hop]`; may exceed ±1.
        zq: `[batch, code_dim, frames]`, quantised.
        z: the same before quantising.
        vqloss: `[codebooks]`.
        perplexity: `[codebooks]`.
        codes: `[codebooks, batch, frames]`.
    """

    y: Tensor
    zq: Tensor
    z: Tensor
    vqloss: Tensor
    perplexity: Tensor
    codes: Tensor


class ResidualUnit(nn.Module):
    """A dilated and a pointwise convolution beside a short cut."""

    def __init__(self, channels: int, dilation: int, config: AutoencoderConfig) -> None:
        """Make the unit; it has no bias whatever the setting says."""
        super().__init__()
        conv = CausalConv1d if config.mode == "causal" else CentredConv1d
        self.conv1 = conv(channels, channels, _KERNEL, dilation=dilation, bias=False)
        self.conv2 = PointwiseConv1d(channels, channels)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `x`."""
        y: Tensor = self.conv1(x, state, before=ELU, then=self.conv2, residual=x)
        return y


class EncoderBlock(nn.Module):
    """Residual units, then a convolution to a lower rate."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, config: AutoencoderConfig
    ) -> None:
        """Make the block."""
        super().__init__()
        self.res_units = nn.ModuleList(
            ResidualUnit(in_channels, dilation, config) for dilation in _DILATIONS
        )
        conv = CausalConv1d if config.mode == "causal" else CentredConv1d
        self.conv = conv(in_channels, out_channels, 2 * stride, stride=stride, bias=config.bias)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return `out_channels` at `1 / stride` of the rate."""
        for unit in self.res_units:
            x = unit(x, state)
        return self.conv(x, state)  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Sound to features, one vector a hop."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Make the first convolution and a block for each stride."""
        super().__init__()
        self.activated = config.activated
        width = config.encode_channels
        widths = [width, *(width * ratio for ratio in config.enc_ratios)]
        conv = CausalConv1d if config.mode == "causal" else CentredConv1d
        self.conv = conv(config.input_channels, width, _KERNEL, bias=False)
        self.conv_blocks = nn.ModuleList(
            EncoderBlock(narrow, wide, stride, config)
            for narrow, wide, stride in zip(
                widths[:-1], widths[1:], config.enc_strides, strict=True
            )
        )

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return features for `[batch, input_channels, samples]`, ceil(samples / hop) frames."""
        x = self.conv(x, state)
        for block in self.conv_blocks:
            x = block(x, state)
        return elu(x) if self.activated else x


class Projector(nn.Module):
    """Features to code vectors."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Make the convolution, and its batch norm if the settings want one."""
        super().__init__()
        conv = CausalConv1d if config.mode == "causal" else CentredConv1d
        width = config.encode_channels * config.enc_ratios[-1]
        project: nn.Module = conv(width, config.code_dim, 3, bias=False)
        if config.projector == "conv1d_bn":
            project = nn.Sequential(project, nn.BatchNorm1d(config.code_dim))
        self.project = project

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return code vectors before quantising, one a frame."""
        if not isinstance(self.project, nn.Sequential):
            return self.project(x, state)  # type: ignore[no-any-return]
        conv, norm = self.project
        y: Tensor = conv(x, state)
        if not is_time_major(state):
            return norm(y)  # type: ignore[no-any-return]
        return norm(y.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]


class DecoderBlock(nn.Module):
    """A transposed convolution to a higher rate, then residual units."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, config: AutoencoderConfig
    ) -> None:
        """Make the block."""
        super().__init__()
        upsample = CausalUpsample1d if config.mode == "causal" else CentredUpsample1d
        self.conv = upsample(in_channels, out_channels, stride, bias=config.bias)
        self.res_units = nn.ModuleList(
            ResidualUnit(out_channels, dilation, config) for dilation in _DILATIONS
        )

    def forward(
        self, x: Tensor, state: StreamState | None = None, *, before: Activation = IDENTITY
    ) -> Tensor:
        """Return `out_channels` at `stride` times the rate; `before` is what `x` passes first."""
        x = self.conv(x, state, before=before)
        for unit in self.res_units:
            x = unit(x, state)
        return x


class Decoder(nn.Module):
    """Code vectors to sound."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Make a block for each stride, between two convolutions."""
        super().__init__()
        self.hop = prod(config.dec_strides)
        self.activated = config.activated
        width = config.decode_channels
        widths = [*(width * ratio for ratio in config.dec_ratios), width]
        conv = CausalConv1d if config.mode == "causal" else CentredConv1d
        self.conv1 = conv(config.code_dim, widths[0], _KERNEL, bias=False)
        blocks: Iterator[nn.Module] = (
            DecoderBlock(wide, narrow, stride, config)
            for wide, narrow, stride in zip(
                widths[:-1], widths[1:], config.dec_strides, strict=True
            )
        )
        if config.activated:  # the checkpoints count the activation as entry 0
            blocks = (nn.Sequential(nn.ELU(), block) for block in blocks)
        self.conv_blocks = nn.ModuleList(blocks)
        self.conv2 = conv(width, config.output_channels, _KERNEL, bias=False)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return `[batch, output_channels, frames * hop]` of `[batch, code_dim, frames]`."""
        x = self.conv1(x, state)
        for entry in self.conv_blocks:
            if isinstance(entry, nn.Sequential):
                x = entry[1](x, state, before=ELU)
            else:
                x = entry(x, state)
        if not self.activated:
            return self.conv2(x, state)  # type: ignore[no-any-return]
        return torch.tanh(self.conv2(x, state, before=ELU))


class Autoencoder(nn.Module):
    """The whole model."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Make the four parts with fresh weights."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.projector = Projector(config)
        self.quantizer = Quantizer(config.code_dim, config.codebook_size, config.codebook_num)
        if config.use_weight_norm:
            add_weight_norm(self)

    def forward(self, x: Tensor) -> Reconstruction:
        """Encode, quantise and decode whole signals.

        Args:
            x: `[batch, channels, samples]`; channels that the model does not know become rows of
                the batch.
        """
        if x.shape[1] != self.config.input_channels:
            x = x.reshape(-1, self.config.input_channels, x.shape[2])
        z = self.projector(self.encoder(x))
        found = self.quantizer(z)
        y = self.decoder(found.vectors)
        return Reconstruction(y, found.vectors, z, found.losses, found.perplexities, found.codes)


def build(config: Config) -> Autoencoder:
    """Return the autoencoder for an authors' or parity `config` object."""
    return Autoencoder(AutoencoderConfig.from_mapping(table_of(config, "generator_params")))
