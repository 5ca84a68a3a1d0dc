"""Settings of the VM-ASR network, under the names that the authors' files use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from audiofix.dsp.stft import STFT
from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings

Interaction = Literal["dual", "m2p", "p2m", "single"]

_FIXED: Mapping[str, object] = {
    "patch_size": 4,
    "in_chans": 1,
    "ssm_act_layer": "silu",
    "ssm_conv": 3,
    "ssm_conv_bias": True,
    "ssm_drop_rate": 0.0,
    "ssm_init": "v0",
    "forward_type": "v5",
    "mlp_act_layer": "gelu",
    "mlp_drop_rate": 0.0,
    "gmlp": False,
    "patch_norm": True,
    "norm_layer": "LN",
    "patchembed_version": "v2",
    "downsample_version": "v1",
    "upsample_version": "v1",
    "output_version": "v3",
    "spectro_scale": "log2",
}
"""Settings that exist in the authors' files and have one value in every released model."""


_MOST_BLOCKS = 256
"""In all levels together: making many thousands takes a minute, before the tensors are compared."""

_MOST = {"depths": 64, "dims": 1024, "n_fft": 1 << 16, "hop_length": 1 << 16, "win_length": 1 << 16}
"""Far more than any release has: it bounds what a hostile file can ask for."""


@dataclass(frozen=True, slots=True)
class VMASRConfig(NetworkSettings):
    """One architecture of the family. The defaults are the released 48 kHz model.

    Attributes:
        depths: visual state-space blocks per level, finest level first.
        dims: channels at the finest level; every level below has twice as many.
        ssm_d_state: states per row of the scan.
        ssm_ratio: channels inside the scan per channel outside.
        ssm_dt_rank: rank of the step's projection; "auto" is `ceil(channels / 16)`.
        mlp_ratio: hidden units of the perceptron per channel.
        drop_path_rate: stochastic depth of the deepest block, in training only.
        concat_skip: whether skips are concatenated (released) or added.
        interact: how the magnitude and phase streams meet.
        n_fft: bins of a spectrum are `n_fft // 2 + 1`.
        hop_length: samples per frame.
        win_length: samples of the window, at most `n_fft`.
        low_freq_replacement: the published switch, which acts only where `hf` is 0.
        centre: whether log2-magnitudes, which lie about -12 plus or minus 4, are brought to mean 0
            and deviation 1 for the network. Without it training from fresh weights stands still
            for thousands of steps; no released model has it.
    """

    FIXED = _FIXED

    depths: tuple[int, ...] = (2, 2, 2, 2)
    dims: int = 16
    ssm_d_state: int = 1
    ssm_ratio: float = 2.0
    ssm_dt_rank: int | Literal["auto"] = "auto"
    mlp_ratio: float = 4.0
    drop_path_rate: float = 0.1
    concat_skip: bool = True
    interact: Interaction = "dual"
    n_fft: int = 1024
    hop_length: int = 240
    win_length: int = 1024
    low_freq_replacement: bool = True
    centre: bool = False

    def __post_init__(self) -> None:
        """Refuse what no network can be.

        Raises:
            SettingsError: a size is out of its range.
        """
        for name, most in _MOST.items():
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if not 1 <= number <= most:
                    raise SettingsError(f"{name}: {number!r}: must be from 1 to {most}")
        if sum(self.depths) > _MOST_BLOCKS:
            raise SettingsError(f"depths: {sum(self.depths)} blocks: at most {_MOST_BLOCKS}")

    @property
    def bins(self) -> int:
        """Bins of a spectrum, DC and Nyquist included."""
        return self.n_fft // 2 + 1

    @property
    def stft(self) -> STFT:
        """The transform between sound and spectra."""
        return STFT(self.n_fft, self.hop_length, self.win_length, normalized=True)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels per level, finest first."""
        return tuple(self.dims << level for level in range(len(self.depths)))

    @property
    def frame_multiple(self) -> int:
        """Frames of a window must be a multiple of this: the network halves so often."""
        return 4 << (len(self.depths) - 1)
