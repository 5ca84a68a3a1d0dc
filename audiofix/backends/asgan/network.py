"""ASGAN's generator: a Gaussian vector to a latent, and a latent to features.

Specification, section 3. Attribute names are those of the authors' checkpoints.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, leaky_relu

from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.equalized import EqualizedConv1d, EqualizedLinear
from audiofix.backends.asgan.input_waves import FourierFeature, SynthesisInput
from audiofix.backends.asgan.resampling import Resampler, layer_cutoffs
from audiofix.backends.tasks import Config
from audiofix.errors import SettingsError

_GAIN = math.sqrt(2)
_DEMODULATION_GUARD = 1e-8
NORM_DECAY = 0.999
"""Of the moving mean square of a layer's input."""


class Mapping(nn.Module):
    """Gaussian vectors to latents. The vectors are not normalised, unlike StyleGAN's."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Make `w_layers + 1` linear layers."""
        super().__init__()
        rate = config.w_lr_mult if config.equalized_lr else 1.0
        layers: list[nn.Module] = []
        for level in range(config.w_layers + 1):
            size = config.w_dim if level else config.z_dim
            linear = EqualizedLinear(size, config.w_dim, config.equalized_lr, rate=rate)
            if not config.equalized_lr:
                nn.init.zeros_(linear.bias)
                if size == config.w_dim:
                    with torch.no_grad():
                        linear.weight.add_(torch.eye(size))
            layers += [linear, nn.LeakyReLU(config.lrelu_coeff)]
        self.fcs = nn.Sequential(*layers[:-1])

    def forward(self, z: Tensor) -> Tensor:
        """Return `[batch, w_dim]` of `[batch, z_dim]`."""
        return self.fcs(z)  # type: ignore[no-any-return]


class StyleLayer(nn.Module):
    """A modulated convolution, and a non-linearity at a higher rate between two filters."""

    norm_ema: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        kernel_size: int,
        *,
        slope: float,
        equalized: bool,
        normalize: bool = True,
        up: int = 1,
        down: int = 1,
        cutoffs: tuple[float | None, float | None] = (None, None),
    ) -> None:
        """Make the layer.

        Args:
            in_channels: of the input.
            out_channels: of the result.
            w_dim: length of a latent.
            kernel_size: in frames.
            slope: of the non-linearity where its input is negative; 1 for none.
            equalized: whether weights are scaled when they are used.
            normalize: whether styles are demodulated; the head's are not.
            up: factor of the rate before the non-linearity.
            down: factor of the rate after it.
            cutoffs: of the filters before and after it.
        """
        super().__init__()
        self.slope, self.equalized, self.normalize = slope, equalized, normalize
        self.register_buffer("norm_ema", torch.ones(()))
        self.affine = EqualizedLinear(w_dim, in_channels, equalized)
        nn.init.ones_(self.affine.bias)
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        if equalized and not self.conv.weight.is_meta:
            nn.init.normal_(self.conv.weight)
            nn.init.zeros_(torch.as_tensor(self.conv.bias))
        self.resampler = Resampler(up, down, *cutoffs)
        self.style_factor = 1.0
        if equalized and not normalize:
            self.style_factor = 1 / math.sqrt(in_channels * kernel_size)

    def convolve(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the modulated convolution of `[batch, in_channels, time]`, bias included.

        The style scales the input and the demodulation the result, which equals a convolution with
        a kernel of each item's own.
        """
        styles, kernel = self.affine(w) * self.style_factor, self.conv.weight
        if self.normalize:
            kernel = kernel * kernel.square().mean((1, 2), keepdim=True).rsqrt()
            # The authors' mean goes over the batch too, which demodulation undoes up to its guard.
            styles = styles * styles.square().mean(1, keepdim=True).rsqrt()
        level = self.norm_ema.rsqrt()
        y = conv1d(x * styles[:, :, None], kernel, padding=self.conv.padding)
        if self.normalize:
            energies = styles.square() @ kernel.square().sum(2).t()
            y = y * (level * (energies + _DEMODULATION_GUARD).rsqrt())[:, :, None]
        else:
            y = y * level
        return y + torch.as_tensor(self.conv.bias)[:, None]

    def activate(self, y: Tensor) -> Tensor:
        """Return `y` at the higher rate, behind the non-linearity."""
        if self.resampler.up_factor > 1:
            y = self.resampler.up(y)
        return leaky_relu(y, self.slope) * _GAIN

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return `[batch, out_channels, time * up / down]`.

        Args:
            x: `[batch, in_channels, time]`.
            w: `[batch, w_dim]`.
        """
        y = self.activate(self.convolve(x, w))
        return self.resampler.down(y) if self.resampler.down_factor > 1 else y

    @torch.no_grad()
    def follow_level(self, x: Tensor, decay: float) -> None:
        """Move the mean square that inputs are normalised by towards that of `x`."""
        self.norm_ema.lerp_(x.float().square().mean(), 1 - decay)


class Generator(nn.Module):
    """Gaussian vectors to features."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Make the generator with fresh weights."""
        super().__init__()
        self.config = config
        equalized, slope = config.equalized_lr, config.lrelu_coeff
        self.W = Mapping(config)
        size = config.w_dim, config.ff_channels, config.input_frames, equalized
        self.ff: SynthesisInput | FourierFeature = (
            SynthesisInput(*size)
            if config.use_sg3_ff
            else FourierFeature(*size, deviation=config.init_B_std)
        )
        channels = config.ff_channels
        self.preconv = EqualizedConv1d(channels, channels, 1, equalized)
        cutoffs = layer_cutoffs(
            len(config.layer_specs), config.first_cutoff, config.last_cutoff, config.num_critical
        )
        layers = []
        length = config.layer_specs[0][2]
        for (width, kernel, frames), around in zip(
            config.layer_specs, pairwise(cutoffs), strict=True
        ):
            layers.append(
                StyleLayer(
                    channels,
                    width,
                    config.w_dim,
                    kernel,
                    slope=slope,
                    equalized=equalized,
                    up=2 if frames == length else 4,
                    down=2,
                    cutoffs=around,
                )
            )
            channels, length = width, frames
        self.layers = nn.ModuleList(layers)
        self.head = StyleLayer(
            channels,
            config.c_dim,
            config.w_dim,
            config.head_spec[1],
            slope=1.0,
            equalized=equalized,
            normalize=False,
        )

    def map(self, z: Tensor) -> Tensor:
        """Return latents `[batch, w_dim]` of Gaussian vectors `[batch, z_dim]`."""
        return self.W(z)  # type: ignore[no-any-return]

    def synthesise(self, w: Tensor, *, norm_decay: float | None = None) -> Tensor:
        """Return features `[batch, frames, c_dim]` of latents.

        Args:
            w: `[batch, w_dim]`, or `[batch, styles, w_dim]`: the input's, each layer's, the head's.
            norm_decay: lets every layer's level follow its input, for training; None leaves it.

        Raises:
            SettingsError: the latents have another shape.
        """
        styles = self.config.styles
        if w.dim() == 2:
            w = w[:, None].expand(-1, styles, -1)
        if w.shape[1:] != (styles, self.config.w_dim):
            raise SettingsError(
                f"latents of shape {tuple(w.shape)}: must be [batch, {self.config.w_dim}] or "
                f"[batch, {styles}, {self.config.w_dim}]"
            )
        first, *others = w.unbind(1)
        x = self.preconv(self.ff(first).transpose(1, 2))
        for layer, own in zip([*self.layers, self.head], others, strict=True):
            if norm_decay is not None:
                layer.follow_level(x, norm_decay)
            x = layer(x, own)
        return x.transpose(1, 2)  # type: ignore[no-any-return]

    def forward(self, z: Tensor) -> Tensor:
        """Return features `[batch, frames, c_dim]` of Gaussian vectors `[batch, z_dim]`."""
        return self.synthesise(self.map(z))


def build(config: Config) -> Generator:
    """Return the generator for an authors' or parity `config` object."""
    return Generator(GeneratorConfig.from_mapping(config))
