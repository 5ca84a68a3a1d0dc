"""Settings of AudioDec's networks, under the names that the authors' files use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal, cast, get_args

from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings

Mode = Literal["causal", "noncausal"]
Family = Literal["audiodec", "activate_audiodec"]
Projection = Literal["conv1d", "conv1d_bn"]
Start = Literal["zeros", "replicate", "warm"]
"""How a stream begins: with all history zero; with the first frame replicated where a network
looks back at frames, which is what whole signals get; or after a stretch of silence."""

WARM_UP_SAMPLES = 8192
"""Silence that the authors' programs feed before a stream, rounded up to whole frames."""

_MOST_BINS = 1 << 13
"""Of a spectral codec's frames, so that a damaged checkpoint cannot ask for all memory."""

VOCODER_PREFIX = "vocoder."
"""Of the vocoder's tensors in a checkpoint; the autoencoder's have their own names."""


class _Settings(NetworkSettings):
    __slots__ = ()

    FIXED = {
        "quantier": "residual_vq",  # so it is spelled
        "use_additional_convs": True,
        "nonlinear_activation": "LeakyReLU",
    }
    BESIDE = frozenset({"note", "stats"})  # remarks, and where training read its statistics from


@dataclass(frozen=True, slots=True)
class AutoencoderConfig(_Settings):
    """One autoencoder. The defaults are the released 48 kHz model.

    Attributes:
        input_channels: of the sound; more than one are coded jointly.
        output_channels: of the decoded sound.
        encode_channels: after the first convolution.
        decode_channels: before the last one.
        code_dim: length of a code vector.
        codebook_num: codebooks, one code each a frame.
        codebook_size: codewords in a codebook.
        bias: of the convolutions that change the rate.
        enc_ratios: channels after each encoder block, in units of `encode_channels`.
        dec_ratios: channels before each decoder block, in units of `decode_channels`.
        enc_strides: samples per step, block by block; the product is the hop.
        dec_strides: the same on the way back.
        mode: no released model is non-causal; such a one cannot stream.
        codec: `activate_audiodec` has more activations and a limited output.
        projector: what makes code vectors of the encoder's output.
        use_weight_norm: for training; folded when a model is opened.
    """

    input_channels: int = 1
    output_channels: int = 1
    encode_channels: int = 32
    decode_channels: int = 32
    code_dim: int = 64
    codebook_num: int = 8
    codebook_size: int = 1024
    bias: bool = True
    enc_ratios: tuple[int, ...] = (2, 4, 8, 16)
    dec_ratios: tuple[int, ...] = (16, 8, 4, 2)
    enc_strides: tuple[int, ...] = (3, 4, 5, 5)
    dec_strides: tuple[int, ...] = (5, 5, 4, 3)
    mode: Mode = "causal"
    codec: Family = "audiodec"
    projector: Projection = "conv1d"
    use_weight_norm: bool = False

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return prod(self.enc_strides)

    @property
    def activated(self) -> bool:
        """Whether blocks are joined by activations."""
        return self.codec == "activate_audiodec"


@dataclass(frozen=True, slots=True)
class VocoderConfig(_Settings):
    """One vocoder. The defaults are v1, which is also v3.

    Attributes:
        in_channels: length of a code vector.
        out_channels: of the sound.
        channels: after the first convolution; halved by each upsampling.
        kernel_size: of the first and the last convolution.
        upsample_scales: the product is the hop.
        upsample_kernel_sizes: twice the scales.
        resblock_kernel_sizes: one residual block each.
        resblock_dilations: of each block's convolutions.
        groups: with one kernel and more than one group, that block works on copies of its input.
        bias: of all convolutions but the one that joins groups.
        nonlinear_activation_params: the negative slope.
        use_weight_norm: for training; folded when a model is opened.
    """

    in_channels: int = 64
    out_channels: int = 1
    channels: int = 512
    kernel_size: int = 7
    upsample_scales: tuple[int, ...] = (5, 5, 4, 3)
    upsample_kernel_sizes: tuple[int, ...] = (10, 10, 8, 6)
    resblock_kernel_sizes: tuple[int, ...] = (11,)
    resblock_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5),)
    groups: int = 3
    bias: bool = True
    nonlinear_activation_params: Mapping[str, float] = field(
        default_factory=lambda: {"negative_slope": 0.1}
    )
    use_weight_norm: bool = True

    def __post_init__(self) -> None:
        """Check what the networks rely on.

        Raises:
            SettingsError: a kernel is not twice its scale.
        """
        if self.upsample_kernel_sizes != tuple(2 * scale for scale in self.upsample_scales):
            raise SettingsError("upsample_kernel_sizes: must be twice upsample_scales")

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return prod(self.upsample_scales)

    @property
    def slope(self) -> float:
        """Negative slope of the leaky rectifiers, the last one excepted."""
        return self.nonlinear_activation_params.get("negative_slope", 0.01)

    @property
    def multi_group(self) -> bool:
        """Whether blocks work on copies of their input, one a group."""
        return len(self.resblock_kernel_sizes) == 1 and self.groups > 1


@dataclass(frozen=True, slots=True)
class SpectralConfig(_Settings):
    """A codec whose codes are of spectra; see `spectral`. The defaults are the shipped model's.

    Attributes:
        hop: samples per code frame.
        window: samples of a spectrum's frame.
        fall: samples in which its window falls at the end.
        span: samples that a spectrum adds to when sound is made of it; `hop + hop / steps` at most.
        steps: spectra that the decoder makes of each code frame.
        bands: of the mel filters, and coefficients of a code vector.
        codebook_num: codebooks, one code each a frame.
        codebook_size: codewords in a codebook.
        candidates: sums of codewords that a search follows at once.
        channels: of the decoder's network.
        blocks: of the decoder's network.
        iterations: rounds in which the phases of a spectrum are found.
    """

    hop: int = 160
    window: int = 400
    fall: int = 160
    span: int = 240
    steps: int = 2
    bands: int = 64
    codebook_num: int = 8
    codebook_size: int = 256
    candidates: int = 4
    channels: int = 256
    blocks: int = 2
    iterations: int = 2

    def __post_init__(self) -> None:
        """Check what overlap-add and the delay rely on.

        Raises:
            SettingsError: the steps do not divide the hop, or a size does not fit.
        """
        if not (self.steps > 0 and 0 < self.bands <= self.bins <= _MOST_BINS):
            raise SettingsError(
                f"steps, bands, window: {self.steps}, {self.bands}, {self.window}: must be "
                f"positive, bands up to half the window, a window up to {2 * _MOST_BINS - 1}"
            )
        step = self.hop // self.steps
        if (
            self.hop % self.steps
            or self.span % step
            or not 3 * step <= self.span <= self.hop + step
        ):
            raise SettingsError(
                f"span: {self.span}: must be whole steps of {step} samples, 3 or more, and at most "
                f"{self.hop + step}"
            )

    @property
    def bins(self) -> int:
        """Of a spectrum."""
        return self.window // 2 + 1


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """An encoder, its codebooks and a receiver.

    Attributes:
        rate: samples per second.
        autoencoder: the encoder and codebooks; and the receiver, if there is no vocoder.
        vocoder: the receiver of an `AutoencoderConfig`.
        start: how streams begin.
        late_frames: frames by which the decoder was trained to be late. A stream's encoder leaves
            so many out at its beginning, so what is decoded is in time again.
        denoises: whether the encoder was trained to leave noise out.
    """

    rate: int
    autoencoder: AutoencoderConfig | SpectralConfig
    vocoder: VocoderConfig | None = None
    start: Start = "warm"
    late_frames: int = 0
    denoises: bool = False

    @classmethod
    def from_mapping(cls, config: Mapping[str, object]) -> "CodecConfig":
        """Return the settings that a checkpoint of audiofix holds.

        Raises:
            SettingsError: a table is missing, or a setting is none.
        """
        rate, start = config.get("rate"), config.get("start", "warm")
        coder: AutoencoderConfig | SpectralConfig
        if "spectral" in config:
            coder = SpectralConfig.from_mapping(config["spectral"])
        else:
            coder = AutoencoderConfig.from_mapping(config.get("autoencoder"))
        if not isinstance(rate, int):
            raise SettingsError("codec: needs its rate")
        if start not in get_args(Start):
            raise SettingsError(f"start: {start!r}: use one of {', '.join(get_args(Start))}")
        vocoder = config.get("vocoder")
        return cls(
            rate,
            coder,
            VocoderConfig.from_mapping(vocoder) if vocoder is not None else None,
            cast(Start, start),
            cast(int, config.get("late_frames", 0)),
            bool(config.get("denoises")),
        )

    @property
    def warm_up_frames(self) -> int:
        """Frames of silence before a stream."""
        return -(-WARM_UP_SAMPLES // self.autoencoder.hop) if self.start == "warm" else 0


def table_of(config: Mapping[str, object], *names: str) -> Mapping[str, object]:
    """Return the first table of these names inside `config`, or `config` itself."""
    for name in names:
        table = config.get(name)
        if isinstance(table, Mapping):
            return table
    return config
