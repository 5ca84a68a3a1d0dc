"""AudioDec's discriminators, used in training only; attribute names are those of the authors' code.

Two pairs exist. Periods with scales are HiFi-GAN's (Kong et al., 2020), periods with spectra are
UnivNet's (Jang et al., 2021). Which one a table means is told by what it holds. Every
discriminator returns its feature maps, of which the last one is its score.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from audiofix.backends.audiodec.config import table_of
from audiofix.backends.tasks import Config
from audiofix.errors import SettingsError
from audiofix.nn.weight_norm import add_weight_norm

_PERIODS = (2, 3, 5, 7, 11)
_SCALES = 3
_RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""FFT size, hop and window length in samples, as published; tables may say others."""

Table = Mapping[str, Any]
Kind = Literal["hifigan", "univnet"]


class Layer(nn.Module):
    """A convolution under the name that the authors' wrapper gives it."""

    def __init__(self, conv: nn.Module) -> None:
        """Wrap `conv`."""
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        return self.conv(x)  # type: ignore[no-any-return]


def _activated(conv: nn.Module, table: Table) -> nn.Sequential:
    slope = table.get("nonlinear_activation_params", {}).get("negative_slope", 0.1)
    return nn.Sequential(Layer(conv), nn.LeakyReLU(slope))


def _maps(layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
    maps = []
    for layer in layers:
        x = layer(x)
        maps.append(x)
    return maps


class ScaleDiscriminator(nn.Module):
    """Scores a wave by grouped convolutions of ever lower rate. Without any norm, as published."""

    def __init__(self, table: Table) -> None:
        """Make the layers that the table describes."""
        super().__init__()
        first, middle, last, score = table["kernel_sizes"]
        widest, bias = table["max_downsample_channels"], table["bias"]
        wide = table["channels"]

        def conv(
            narrow: int, wide: int, kernel: int, stride: int = 1, groups: int = 1
        ) -> nn.Conv1d:
            return nn.Conv1d(narrow, wide, kernel, stride, kernel // 2, 1, groups, bias)

        layers: list[nn.Module] = [_activated(conv(table["in_channels"], wide, first), table)]
        narrow, groups = wide, 4
        for stride in table["downsample_scales"]:
            layers.append(_activated(conv(narrow, wide, middle, stride, groups), table))
            narrow, wide = wide, min(2 * wide, widest)
            groups = min(4 * groups, table["max_groups"])
        layers.append(_activated(conv(narrow, wide, last), table))
        layers.append(Layer(conv(wide, table["out_channels"], score)))
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of `[batch, 1, samples]`, the score last."""
        return _maps(self.layers, x)


class PeriodDiscriminator(nn.Module):
    """Scores a wave folded to rows of `period` samples."""

    def __init__(self, period: int, table: Table) -> None:
        """Make the layers that the table describes."""
        super().__init__()
        self.period = period
        kernel, score = table["kernel_sizes"]
        narrow, wide, bias = table["in_channels"], table["channels"], table["bias"]
        self.convs = nn.ModuleList()
        for stride in table["downsample_scales"]:
            conv = nn.Conv2d(
                narrow, wide, (kernel, 1), (stride, 1), ((kernel - 1) // 2, 0), bias=bias
            )
            self.convs.append(_activated(conv, table))
            narrow, wide = wide, min(4 * wide, table["max_downsample_channels"])
        padding = ((score - 1) // 2, 0)
        self.output_conv = Layer(
            nn.Conv2d(narrow, table["out_channels"], (score - 1, 1), 1, padding, bias=bias)
        )
        if table.get("use_weight_norm", True):
            add_weight_norm(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of `[batch, 1, samples]`, the score last and flat."""
        x = pad(x, (0, -x.shape[-1] % self.period), "reflect").unflatten(-1, (-1, self.period))
        maps = _maps(self.convs, x)
        return [*maps, self.output_conv(maps[-1]).flatten(1)]


class SpectralDiscriminator(nn.Module):
    """Scores magnitudes of one resolution."""

    window: Tensor

    def __init__(self, fft_size: int, hop: int, window: int, table: Table) -> None:
        """Make the layers that the table describes."""
        super().__init__()
        self.fft_size, self.hop = fft_size, hop
        self.register_buffer("window", torch.hann_window(window))
        kernels, strides = table["kernel_sizes"], table["strides"]
        widths = [1, *[table["channels"]] * (len(kernels) - 1), 1]
        convs = [
            nn.Conv2d(
                narrow,
                wide,
                tuple(kernel),
                tuple(stride),
                tuple(k // 2 for k in kernel),
                bias=table["bias"],
            )  # fmt: skip
            for narrow, wide, kernel, stride in zip(
                widths[:-1], widths[1:], kernels, strides, strict=True
            )
        ]
        self.layers = nn.ModuleList(_activated(conv, table) for conv in convs[:-1])
        self.layers.append(Layer(convs[-1]))
        add_weight_norm(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of `[batch, 1, samples]`, the score last."""
        length = len(self.window)
        spectra = torch.stft(
            pad(x[:, 0], (length // 2, length // 2)),
            self.fft_size,
            self.hop,
            length,
            self.window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        return _maps(self.layers, spectra.abs().transpose(1, 2)[:, None])


class Discriminators(nn.Module):
    """Discriminators in a row, under the name `discriminators`."""

    def __init__(self, members: list[nn.Module], *, halve: bool = False) -> None:
        """Take the discriminators; with `halve`, each one hears half the rate of the one before."""
        super().__init__()
        self.discriminators = nn.ModuleList(members)
        self.halve = halve

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Return each discriminator's maps."""
        found = []
        for discriminator in self.discriminators:
            found.append(discriminator(x))
            if self.halve:
                x = avg_pool1d(x, 4, 2, 2)
        return found


class HiFiGANDiscriminator(nn.Module):
    """Three scales and five periods."""

    def __init__(self, table: Table) -> None:
        """Make the discriminators."""
        super().__init__()
        scale, period = table["scale_discriminator_params"], table["period_discriminator_params"]
        count = table.get("scales", _SCALES)
        self.msd = Discriminators([ScaleDiscriminator(scale) for _ in range(count)], halve=True)
        self.mpd = _periods(table, period)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Return every discriminator's maps, scales first; channels are scored one by one.

        Args:
            x: `[batch, channels, samples]`.
        """
        x = x.reshape(-1, 1, x.shape[-1])
        return [*self.msd(x), *self.mpd(x)]


class UnivNetDiscriminator(nn.Module):
    """Three spectral resolutions and five periods."""

    def __init__(self, table: Table) -> None:
        """Make the discriminators."""
        super().__init__()
        spectral = table["spectral_discriminator_params"]
        sizes = [table[name] for name in ("fft_sizes", "hop_sizes", "win_lengths") if name in table]
        resolutions = zip(*sizes, strict=True) if sizes else _RESOLUTIONS
        self.mrsd = Discriminators(
            [SpectralDiscriminator(fft, hop, window, spectral) for fft, hop, window in resolutions]
        )
        self.mpd = _periods(table, table["period_discriminator_params"])

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Return every discriminator's maps, spectra first; channels are scored one by one.

        Args:
            x: `[batch, channels, samples]`.
        """
        x = x.reshape(-1, 1, x.shape[-1])
        return [*self.mrsd(x), *self.mpd(x)]


def _periods(table: Table, period: Table) -> Discriminators:
    return Discriminators(
        [PeriodDiscriminator(one, period) for one in table.get("periods", _PERIODS)]
    )


def published(kind: Kind, divisor: int = 1) -> Config:
    """Return the table of the discriminators that the published models were trained against.

    Args:
        kind: `univnet` taught symADuniv and the vocoder v3, `hifigan` all the others.
        divisor: 1, 2, 4 or 8; the widths are divided by it.

    Raises:
        SettingsError: the divisor is another.
    """
    if divisor not in (1, 2, 4, 8):
        raise SettingsError(f"discriminator.divisor: {divisor}: use 1, 2, 4 or 8")
    shared = {"in_channels": 1, "out_channels": 1, "bias": True}
    period = {
        **shared,
        "kernel_sizes": (5, 3),
        "channels": 32 // divisor,
        "downsample_scales": (3, 3, 3, 3, 1),
        "max_downsample_channels": 1024 // divisor,
    }
    scale = {
        **shared,
        "kernel_sizes": (15, 41, 5, 3),
        "channels": 128 // divisor,
        "downsample_scales": (4, 4, 4, 4, 1),
        "max_downsample_channels": 1024 // divisor,
        "max_groups": 16,
    }
    spectral = {
        "kernel_sizes": (*[(3, 9)] * 4, (3, 3), (3, 3)),
        "strides": ((1, 1), *[(1, 2)] * 3, (1, 1), (1, 1)),
        "channels": 32 // divisor,
        "bias": True,
        "nonlinear_activation_params": {"negative_slope": 0.2},
    }
    others = {"scale_discriminator_params": scale}
    if kind == "univnet":
        others = {"spectral_discriminator_params": spectral}
    return {"period_discriminator_params": period, **others}


def build(config: Config) -> HiFiGANDiscriminator | UnivNetDiscriminator:
    """Return the discriminators for an authors' or parity `config` object.

    Raises:
        SettingsError: the table describes neither pair, or lacks a setting.
    """
    table = cast(Table, table_of(config, "params", "discriminator_params"))
    try:
        if "scale_discriminator_params" in table:
            return HiFiGANDiscriminator(table)
        if "spectral_discriminator_params" in table:
            return UnivNetDiscriminator(table)
    except KeyError as error:
        raise SettingsError(f"{error.args[0]}: missing from the discriminator's table") from error
    raise SettingsError("discriminator: needs scale_ or spectral_discriminator_params")
