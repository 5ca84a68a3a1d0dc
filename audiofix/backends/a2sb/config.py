"""Settings of A2SB, under the names that the authors' files use."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings, read_settings


@dataclass(frozen=True, slots=True)
class UNetConfig(NetworkSettings):
    """The network. The defaults are the released one.

    Attributes:
        n_updown_levels: times that both axes are halved.
        in_channels: magnitude, cosine and sine.
        hidden_channels: width at full resolution and after each halving.
        out_channels: as `in_channels`.
        emb_channels: of the time embedding: half sines, half cosines.
        band_embedding_dim: channels that tell a row's frequency; 0 for none.
        n_attn_heads: heads of an attention layer.
        attention_levels: levels at which attention follows each residual block.
        use_attn_input_norm: whether an attention layer normalises its input.
        num_res_blocks: residual blocks a level.
        dropout: share of a residual block's features dropped in training.
    """

    BESIDE = frozenset({"rotary_dims"})  # which their network never reads: its size is fixed

    n_updown_levels: int = 5
    in_channels: int = 3
    hidden_channels: tuple[int, ...] = (128, 256, 512, 768, 1024, 2048)
    out_channels: int = 3
    emb_channels: int = 128
    band_embedding_dim: int = 16
    n_attn_heads: int = 8
    attention_levels: tuple[int, ...] = (3, 4)
    use_attn_input_norm: bool = True
    num_res_blocks: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what no network can be.

        Raises:
            SettingsError: the widths do not fit the levels, or a number is out of its range.
        """
        if len(self.hidden_channels) != self.n_updown_levels + 1:
            raise SettingsError(
                f"hidden_channels: {len(self.hidden_channels)} widths for {self.n_updown_levels} "
                "levels: give one more than levels"
            )
        if any(width < 1 or width % 32 for width in self.hidden_channels):
            raise SettingsError("hidden_channels: must be multiples of the 32 groups of the norms")
        if self.emb_channels < 2 or self.emb_channels % 2 or self.band_embedding_dim % 2:
            raise SettingsError("emb_channels, band_embedding_dim: must be even")
        if self.n_attn_heads < 1 or self.num_res_blocks < 1 or not 0 <= self.dropout < 1:
            raise SettingsError("n_attn_heads, num_res_blocks, dropout: out of range")

    @property
    def multiple(self) -> int:
        """Rows and frames of an image must be multiples of this."""
        return 1 << self.n_updown_levels


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """What surrounds the network: the image, its windows, and the sampler's published settings.

    Attributes:
        rate: samples per second.
        n_fft: points of the transform and samples of its window.
        hop: samples between frames.
        window_frames: of an image that the network sees.
        window_hop: frames between windows.
        beta_max: highest rate of the noise schedule.
        deterministic: whether the network was trained on the bridge's mean path, without noise.
        level: RMS that the sound around a gap is brought to first; 0 leaves it as it is.
        t_cutoffs: times at which another network takes over, ascending.
        steps: times of the published sampler; it calls the network once less.
        fast_steps: network calls of the fast sampler.
    """

    rate: int = 44100
    n_fft: int = 2048
    hop: int = 512
    window_frames: int = 256
    window_hop: int = 128
    beta_max: float = 1.0
    deterministic: bool = False
    level: float = 0.0
    t_cutoffs: tuple[float, ...] = ()
    steps: int = 50
    fast_steps: int = 12

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> "BridgeConfig":
        """Return the settings in a checkpoint's configuration; it may hold others beside them.

        Raises:
            SettingsError: a value has the wrong type.
        """
        own = {field.name for field in fields(cls)}
        return read_settings(cls, {name: config[name] for name in own if name in config})

    @property
    def rows(self) -> int:
        """Rows of an image: the bins but the one of 0 Hz."""
        return self.n_fft // 2


A2SB_RELEASE = UNetConfig()
