"""Settings of ASGAN's networks, under the names that the authors' files use."""

from dataclasses import dataclass
from math import prod

from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings

_BESIDE = frozenset({"note", "salt", "r1_gamma", "class_", "rate"})
"""Keys beside the settings: remarks, and what a parity file says of its case."""


class _Settings(NetworkSettings):
    __slots__ = ()

    BESIDE = _BESIDE


@dataclass(frozen=True, slots=True)
class GeneratorConfig(_Settings):
    """One generator. The defaults are the published HuBERT variant.

    Attributes:
        z_dim: length of the Gaussian vector.
        c_dim: features a frame.
        w_lr_mult: learning-rate factor of the mapping network.
        w_dim: length of a latent.
        w_layers: hidden layers of the mapping network.
        ff_channels: of the input waves.
        init_B_std: deviation of the Fourier input's frequencies at the start.
        seq_len: frames that training uses.
        first_cutoff: of the first filter, in units of its Nyquist frequency.
        last_cutoff: of the last filters.
        num_critical: layers that have the last cut-off.
        lrelu_coeff: negative slope.
        equalized_lr: whether weights are scaled by their fan-in when they are used.
        use_sg3_ff: whether the input waves are shifted and turned by the latent (StyleGAN3).
        head_spec: an unused number, and the head's kernel.
        layer_specs: channels, kernel and frames of every style layer.
    """

    z_dim: int = 512
    c_dim: int = 768
    w_lr_mult: float = 0.01
    w_dim: int = 512
    w_layers: int = 1
    ff_channels: int = 512
    init_B_std: float = 0.1
    seq_len: int = 48
    first_cutoff: float = 0.125
    last_cutoff: float = 0.45
    num_critical: int = 2
    lrelu_coeff: float = 0.1
    equalized_lr: bool = True
    use_sg3_ff: bool = True
    head_spec: tuple[int, int] = (768, 1)
    layer_specs: tuple[tuple[int, int, float], ...] = (
        *[(1024, 3, 6.0)] * 5,
        *[(768, 3, 12.0)] * 4,
        *[(512, 3, 24.0)] * 3,
        *[(512, 3, 48.0)] * 2,
    )

    def __post_init__(self) -> None:
        """Refuse what has no meaning.

        Raises:
            SettingsError: there are no layers, or the input waves' amplitude is undefined.
        """
        if not self.layer_specs or self.num_critical >= len(self.layer_specs):
            raise SettingsError("layer_specs: needs more layers than num_critical")
        if self.use_sg3_ff and self.input_frames == 8:
            raise SettingsError("layer_specs: 8 frames at the input divide by zero: use 6 or 12")

    @property
    def input_frames(self) -> int:
        """Frames of the input waves."""
        return int(self.layer_specs[0][2])

    @property
    def frames(self) -> int:
        """Frames of the result."""
        return int(self.layer_specs[-1][2])

    @property
    def styles(self) -> int:
        """Latents that one result takes: the input's, one a style layer, the head's."""
        return len(self.layer_specs) + 2


@dataclass(frozen=True, slots=True)
class DiscriminatorConfig(_Settings):
    """One discriminator. The defaults are the published HuBERT variant.

    Attributes:
        c_dim: features a frame.
        d_dim: channels.
        seq_len: frames.
        lrelu_coeff: negative slope.
        kernel_size: of the convolutions in time.
        block_repeats: how often each length occurs; it is halved, rounding up, after each.
        equalized_lr: whether weights are scaled by their fan-in when they are used.
    """

    c_dim: int = 768
    d_dim: int = 512
    seq_len: int = 48
    lrelu_coeff: float = 0.1
    kernel_size: int = 5
    block_repeats: tuple[int, ...] = (3, 3, 3, 3)
    equalized_lr: bool = True

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames at each point of the walk; neighbouring points make a block."""
        lengths, frames = [], self.seq_len
        for repeats in self.block_repeats:
            lengths += [frames] * repeats
            frames = -(-frames // 2)
        return tuple(lengths)


@dataclass(frozen=True, slots=True)
class VocoderConfig(_Settings):
    """One HiFi-GAN. The defaults are the vocoder of HuBERT features.

    Attributes:
        resblock: kind of residual block; every release has kind 1.
        upsample_rates: of the stages; the product is the hop.
        upsample_kernel_sizes: of the stages.
        upsample_initial_channel: channels before the first stage, halved by each.
        resblock_kernel_sizes: of the residual blocks of a stage.
        resblock_dilation_sizes: of each block's convolutions.
        hubert_dim: features a frame, projected first and given frames before channels; 0 if the
            input is a mel spectrum, channels before frames.
        hifi_dim: length of the projected features.
        in_channels: bands of a mel spectrum.
        hop_size: samples a frame.
        sampling_rate: samples per second.
    """

    resblock: str = "1"
    upsample_rates: tuple[int, ...] = (10, 8, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (20, 16, 4, 4)
    upsample_initial_channel: int = 512
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilation_sizes: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    hubert_dim: int = 768
    hifi_dim: int = 512
    in_channels: int = 128
    hop_size: int = 320
    sampling_rate: int = 16000

    def __post_init__(self) -> None:
        """Refuse what no release has.

        Raises:
            SettingsError: the residual blocks are of another kind, or the rates are not the hop.
        """
        if str(self.resblock) != "1":
            raise SettingsError(f"resblock: {self.resblock}: only kind 1 is known")
        if prod(self.upsample_rates) != self.hop_size:
            raise SettingsError("upsample_rates: their product must be hop_size")


MEL_VOCODER = VocoderConfig(
    upsample_rates=(10, 4, 2, 2),
    upsample_kernel_sizes=(20, 8, 4, 4),
    hubert_dim=0,
    hop_size=160,
)
"""The vocoder of the mel variant (github.com/bshall/hifigan)."""


@dataclass(frozen=True, slots=True)
class ClassifierConfig(_Settings):
    """One ResNeXt. The defaults are the released classifier of ten digits.

    Attributes:
        nlabels: classes.
        cardinality: groups of the 3x3 convolutions.
        depth: layers with weights, 9 a repeat of the bottleneck in each of three stages, and 2.
        base_width: channels of a group.
        widen_factor: width of the stages in units of 64 channels.
        in_channels: of the picture.
    """

    nlabels: int = 10
    cardinality: int = 8
    depth: int = 29
    base_width: int = 64
    widen_factor: int = 4
    in_channels: int = 1

    @property
    def bottlenecks(self) -> int:
        """Bottlenecks of a stage."""
        return (self.depth - 2) // 9
