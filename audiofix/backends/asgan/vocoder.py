"""ASGAN's vocoders: HiFi-GAN's generator (Kong et al., 2020) over HuBERT features or mel spectra.

Specification, section 4. Attribute names are those of the authors' checkpoints.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from audiofix.backends.asgan.config import MEL_VOCODER, VocoderConfig
from audiofix.backends.tasks import Config
from audiofix.nn.weight_norm import add_weight_norm

_SLOPE = 0.1
_LAST_SLOPE = 0.01
"""Of the rectifier before the last convolution: torch's default."""


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each dilated, beside short cuts."""

    def __init__(self, channels: int, kernel_size: int, dilations: tuple[int, ...]) -> None:
        """Make a pair for each dilation."""
        super().__init__()

        def convolution(dilation: int) -> nn.Conv1d:
            padding = dilation * (kernel_size - 1) // 2
            return nn.Conv1d(channels, channels, kernel_size, dilation=dilation, padding=padding)

        self.convs1 = nn.ModuleList(convolution(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(convolution(1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape of `x`."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(leaky_relu(dilated(leaky_relu(x, _SLOPE)), _SLOPE))
        return x


class Vocoder(nn.Module):
    """Features to sound within ±1."""

    def __init__(self, config: VocoderConfig) -> None:
        """Make the vocoder with fresh weights, weight norm on."""
        super().__init__()
        self.config = config
        width = config.upsample_initial_channel
        if config.hubert_dim:
            self.lin_pre = nn.Linear(config.hubert_dim, config.hifi_dim)
        self.conv_pre = nn.Conv1d(
            config.hifi_dim if config.hubert_dim else config.in_channels, width, 7, padding=3
        )
        stages = list(zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True))
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(
                width >> level, width >> (level + 1), kernel, rate, padding=(kernel - rate) // 2
            )
            for level, (rate, kernel) in enumerate(stages)
        )
        self.resblocks = nn.ModuleList(
            ResidualBlock(width >> (level + 1), kernel, dilations)
            for level in range(len(stages))
            for kernel, dilations in zip(
                config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True
            )
        )
        self.conv_post = nn.Conv1d(width >> len(stages), 1, 7, padding=3)
        add_weight_norm(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return sound `[batch, 1, frames * hop]`.

        Args:
            x: HuBERT features `[batch, frames, hubert_dim]`, or a mel spectrum
                `[batch, in_channels, frames]`, as the configuration says.
        """
        if self.config.hubert_dim:
            x = self.lin_pre(x).transpose(1, 2)
        x = self.conv_pre(x)
        kernels = len(self.config.resblock_kernel_sizes)
        for level, up in enumerate(self.ups):
            x = up(leaky_relu(x, _SLOPE))
            blocks = self.resblocks[kernels * level : kernels * (level + 1)]
            x = torch.stack([block(x) for block in blocks]).mean(0)
        return torch.tanh(self.conv_post(leaky_relu(x, _LAST_SLOPE)))

    def decode(self, c: Tensor) -> Tensor:
        """Return sound `[batch, frames * hop]` of features `[batch, frames, c_dim]`."""
        return self(c if self.config.hubert_dim else c.transpose(1, 2))[:, 0]  # type: ignore[no-any-return]


def build(config: Config) -> Vocoder:
    """Return the vocoder for an authors' or parity `config` object.

    It is of HuBERT features if the object says how long they are, else of mel spectra.
    """
    return Vocoder(vocoder_config(config))


def vocoder_config(table: Config) -> VocoderConfig:
    """Return the settings in a table; what it leaves out is as in the released vocoder."""
    names = {"upsample_factors": "upsample_rates"}
    table = {names.get(name, name): value for name, value in table.items()}
    if table.get("hubert_dim"):
        return VocoderConfig.from_mapping(table)
    mel = {name: getattr(MEL_VOCODER, name) for name in VocoderConfig.__dataclass_fields__}
    return VocoderConfig.from_mapping({**mel, **table})
