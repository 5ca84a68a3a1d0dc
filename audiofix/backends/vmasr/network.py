"""The VM-ASR generator (Zhang and Ruan, IEEE/ACM TASLP 33, 2025).

Two U-Nets of visual state-space blocks, one for the log-magnitude and one for the phase of a
band-limited recording's spectra, meet after every level. Attribute names are those of released
checkpoints, a decoder that is loaded and never used among them.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from audiofix.backends.tasks import Config
from audiofix.backends.vmasr.blocks import (
    Layer,
    PatchExpanding,
    PatchMerging,
    VSSBlock,
    channels_first,
    channels_last,
    patch_embedding,
)
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.dsp.stft import (
    from_log_magnitude_and_phase,
    log_magnitude_and_phase,
)

_USUAL_MAGNITUDE, _MAGNITUDE_SPREAD = -12.0, 4.0
"""log2-magnitudes of speech and music: mean and standard deviation; see `VMASRConfig.centre`."""

_LINEAR_DEVIATION = 0.02


class VMASR(nn.Module):
    """Spectra of a band-limited recording in, spectra of a full-band one out.

    Spectra travel as log2-magnitude and phase, both `[batch, 1, bins, frames]`. The number of
    frames must be a multiple of `config.frame_multiple`.
    """

    def __init__(self, config: VMASRConfig) -> None:
        """Make the network with fresh weights."""
        super().__init__()
        self.config = config
        self.patch_embed_mag = patch_embedding(config.dims)
        self.layers_encoder_mag = _encoder(config)
        self.layers_decoder_mag = _decoder(config)
        self.output_layer_mag = _output_layer(config)
        if config.interact != "single":
            # The phase stream starts as a copy, so convolutions and scans start equal.
            self.patch_embed_phase = copy.deepcopy(self.patch_embed_mag)
            self.layers_encoder_phase = copy.deepcopy(self.layers_encoder_mag)
            self.layers_decoder_phase = copy.deepcopy(self.layers_decoder_mag)
            self.output_layer_phase = copy.deepcopy(self.output_layer_mag)
        self.apply(_initialise_linear)

    def forward(self, wave: Tensor, hf: Tensor) -> Tensor:
        """Return the published model's output for whole waves.

        Args:
            wave: `[batch, 1, samples]` at the target rate.
            hf: `[batch]` integers, first bin above the input's band. As published it acts only
                where it is 0: there the input comes back.

        Returns:
            `[batch, 1, samples]`.
        """
        magnitude, phase = self.spectra(wave)
        return self.wave_from_spectra(magnitude, phase, hf, wave.shape[-1])

    def wave_from_spectra(
        self, magnitude: Tensor, phase: Tensor, hf: Tensor, samples: int
    ) -> Tensor:
        """Return `forward`'s output from the input's spectra, cut to `samples`."""
        new_magnitude, new_phase = self.enhance(magnitude, phase)
        if self.config.low_freq_replacement:
            untouched = (hf == 0)[:, None, None, None]
            new_magnitude = torch.where(untouched, magnitude, new_magnitude)
            new_phase = torch.where(untouched, phase, new_phase)
        return self.wave(new_magnitude, new_phase, samples)

    def spectra(self, wave: Tensor, *, steady: bool = False) -> tuple[Tensor, Tensor]:
        """Return log2-magnitude and phase of `[batch, 1, samples]`, padded to whole hops.

        Args:
            wave: the sound.
            steady: see `log_magnitude_and_phase`.
        """
        magnitude, phase = log_magnitude_and_phase(self.transform(wave), steady=steady)
        return magnitude[:, None], phase[:, None]

    def transform(self, wave: Tensor) -> Tensor:
        """Return the complex spectra `[batch, bins, frames]` of `[batch, 1, samples]`."""
        padded = pad(wave, (0, -wave.shape[-1] % self.config.hop_length))
        return self.config.stft(padded[:, 0])

    def wave(self, magnitude: Tensor, phase: Tensor, samples: int) -> Tensor:
        """Return the sound `[batch, 1, samples]` of spectra."""
        return self.inverse(from_log_magnitude_and_phase(magnitude[:, 0], phase[:, 0]), samples)

    def inverse(self, spectra: Tensor, samples: int) -> Tensor:
        """Return the sound `[batch, 1, samples]` of complex spectra `[batch, bins, frames]`."""
        return self.config.stft.inverse(spectra)[:, None, :samples]

    def enhance(self, magnitude: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        """Return the network's spectra. Bin 0 by-passes it; the magnitude has a residual.

        Raises:
            ValueError: the number of frames is not a multiple of `config.frame_multiple`.
        """
        if magnitude.shape[-1] % self.config.frame_multiple:
            raise ValueError(
                f"{magnitude.shape[-1]} frames: must be a multiple of {self.config.frame_multiple}"
            )
        inner_magnitude, inner_phase = magnitude[:, :, 1:], phase[:, :, 1:]
        seen = inner_magnitude
        if self.config.centre:
            seen = (inner_magnitude - _USUAL_MAGNITUDE) / _MAGNITUDE_SPREAD
        if self.config.interact == "single":
            change = self._one_stream(seen)
            new_phase = inner_phase
        else:
            change, new_phase = self._two_streams(seen, inner_phase)
        return (
            torch.cat([magnitude[:, :, :1], change + inner_magnitude], dim=2),
            torch.cat([phase[:, :, :1], new_phase], dim=2),
        )

    def _one_stream(self, x: Tensor) -> Tensor:
        x = self.patch_embed_mag(x)
        skips = [x]
        for level in self.layers_encoder_mag:
            x = level(x)
            skips.append(x)
        skips.pop()  # the deepest level's output is not a skip
        for depth, level in enumerate(self.layers_decoder_mag):
            x = level(self._join(x, skips.pop()) if depth else x)
        output: Tensor = self.output_layer_mag(self._join(x, skips.pop()))
        return output

    def _two_streams(self, magnitude: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        magnitude, phase = self.patch_embed_mag(magnitude), self.patch_embed_phase(phase)
        skips = [(magnitude, phase)]
        encoders = zip(self.layers_encoder_mag, self.layers_encoder_phase, strict=True)
        for level_magnitude, level_phase in encoders:
            magnitude, phase = level_magnitude(magnitude), level_phase(phase)
            skips.append((magnitude, phase))  # skips are taken before the streams meet
            magnitude, phase = self._meet(magnitude, phase)
        skips.pop()
        # As published: with concatenated skips the phase goes through the magnitude's decoder.
        shared = self.config.concat_skip
        phase_decoder = self.layers_decoder_mag if shared else self.layers_decoder_phase
        decoders = zip(self.layers_decoder_mag, phase_decoder, strict=True)
        for depth, (level_magnitude, level_phase) in enumerate(decoders):
            if depth:
                skip_magnitude, skip_phase = skips.pop()
                magnitude = level_magnitude(self._join(magnitude, skip_magnitude))
                phase = level_phase(self._join(phase, skip_phase))
            magnitude, phase = self._meet(magnitude, phase)
        skip_magnitude, skip_phase = skips.pop()
        return (
            self.output_layer_mag(self._join(magnitude, skip_magnitude)),
            self.output_layer_phase(self._join(phase, skip_phase)),
        )

    def _join(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([x, skip], dim=-1) if self.config.concat_skip else x + skip

    def _meet(self, magnitude: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        if self.config.interact in ("dual", "p2m"):
            magnitude = magnitude + phase
        if self.config.interact in ("dual", "m2p"):
            phase = phase + magnitude
        return magnitude, phase


def replace_low_band(new: Tensor, source: Tensor, edge: Tensor, fade_bins: int) -> Tensor:
    """Keep the source's spectra below `edge` and the new ones above, with a short cross-fade.

    What the paper's post-processing intends and the published code does not do.

    Args:
        new: complex `[batch, bins, frames]`.
        source: complex, the same shape.
        edge: `[batch]`, the first bin that is wholly new.
        fade_bins: bins below `edge` over which a raised cosine leads from one to the other.
    """
    bins = torch.arange(new.shape[1], device=new.device)
    position = (bins[None] - (edge[:, None] - fade_bins) + 0.5) / fade_bins
    share = 0.5 - 0.5 * torch.cos(math.pi * position.clamp(0, 1))
    return source + (new - source) * share[:, :, None].to(new.real.dtype)


def build(config: Config) -> VMASR:
    """Return the generator for an authors' or parity `config` object."""
    return VMASR(VMASRConfig.from_mapping(config))


def _block(
    config: VMASRConfig, channels: int, drop_path: float, normalise: bool = True
) -> VSSBlock:
    return VSSBlock(
        channels,
        ssm_d_state=config.ssm_d_state,
        ssm_ratio=config.ssm_ratio,
        ssm_dt_rank=config.ssm_dt_rank,
        mlp_ratio=config.mlp_ratio,
        drop_path=drop_path,
        normalise=normalise,
    )


def _drop_rates(config: VMASRConfig) -> list[list[float]]:
    """Return the drop-path rate of every encoder block, rising linearly with depth."""
    # Numbers, not weights: on the CPU even where the network is made on the meta device.
    rates = torch.linspace(0, config.drop_path_rate, sum(config.depths), device="cpu")
    return [level.tolist() for level in rates.split(list(config.depths))]


def _encoder(config: VMASRConfig) -> nn.ModuleList:
    levels = []
    deepest = len(config.depths) - 1
    for depth, rates in enumerate(_drop_rates(config)):
        channels = config.widths[depth]
        sampler = PatchMerging(channels) if depth < deepest else None
        levels.append(Layer([_block(config, channels, rate) for rate in rates], sampler))
    return nn.ModuleList(levels)


def _decoder(config: VMASRConfig) -> nn.ModuleList:
    levels = [Layer([])]  # as published: the first level is empty
    for channels, rates in list(zip(config.widths, _drop_rates(config), strict=True))[:0:-1]:
        blocks = [_block(config, channels, rate) for rate in rates]
        skip_channels = channels if config.concat_skip else 0
        levels.append(Layer(blocks, PatchExpanding(channels), skip_channels))
    return nn.ModuleList(levels)


def _output_layer(config: VMASRConfig) -> nn.Sequential:
    dims, rate = config.dims, config.drop_path_rate
    return nn.Sequential(
        Layer(
            [_block(config, dims, rate, normalise=False)],
            PatchExpanding(dims),
            dims if config.concat_skip else 0,
        ),
        Layer([_block(config, dims // 2, rate)], PatchExpanding(dims // 2)),
        channels_first(),
        nn.Conv2d(dims // 4, 1, 1),
        channels_last(),
        Layer([_block(config, 1, rate, normalise=False)]),
        channels_first(),
    )


def _initialise_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_LINEAR_DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
