"""Settings of the Apollo network, under the names that the authors' files use."""

from collections.abc import Mapping
from dataclasses import dataclass

from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings

BANDS = 80
"""As published, at every rate; so is the 160 below."""

HEADS = 8
"""Of the attention across bands."""


@dataclass(frozen=True, slots=True)
class ApolloConfig(NetworkSettings):
    """One architecture of the family. The defaults are the released model.

    Attributes:
        sr: samples per second.
        win: milliseconds of a window; the hop is half of it.
        feature_dim: features of a band in a frame, a multiple of 16.
        layer: blocks.
        residual: whether the network predicts a correction to its input's spectrum, in units of
            each frame's level, instead of the whole spectrum (ours; the published is False).
        dither: RMS of the noise in the sound that the network sees, which excites empty bands
            (ours; the published is 0). The input's spectrum in `residual` is free of it.
    """

    sr: int = 44100
    win: float = 20
    feature_dim: int = 256
    layer: int = 6
    residual: bool = False
    dither: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can be.

        Raises:
            SettingsError: a size is out of its range.
        """
        if self.feature_dim < 1 or self.feature_dim % (2 * HEADS):
            raise SettingsError(
                f"feature_dim: {self.feature_dim}: must be a positive multiple of {2 * HEADS}"
            )
        if self.layer < 1:
            raise SettingsError(f"layer: {self.layer}: must be at least 1")
        if self.window < 2 * BANDS or min(self.band_bins) < 1:
            raise SettingsError(
                f"sr {self.sr}, win {self.win}: {self.window} samples do not make {BANDS} bands: "
                "choose a longer window"
            )

    @property
    def window(self) -> int:
        """Samples of a window, and of its transform."""
        return int(self.sr * self.win / 1000)

    @property
    def hop(self) -> int:
        """Samples between frames."""
        return self.window // 2

    @property
    def bins(self) -> int:
        """Bins of a spectrum, DC included."""
        return self.window // 2 + 1

    @property
    def band_bins(self) -> tuple[int, ...]:
        """Bins of each band, lowest first: all but the last band have equally many."""
        equal = self.window // 160
        return (equal,) * (BANDS - 1) + (self.bins - equal * (BANDS - 1),)

    @property
    def reach_frames(self) -> int:
        """Frames that an output frame sees to either side: three kernels of 7 a block."""
        return 9 * self.layer


def config_of_shapes(sizes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """Return the settings of published weights, read from the shapes of their tensors.

    The rate is not in the weights: it is the usual one of those at which a window of 20 ms has so
    many bins, else 44.1 kHz.

    Raises:
        KeyError, IndexError, ValueError: these are not the weights of an Apollo.
    """
    bins = sum((sizes[f"BN.{band}.0.weight"][0] - 1) // 2 for band in range(BANDS))
    blocks = {int(name.split(".")[1]) for name in sizes if name.startswith("net.")}
    if blocks != set(range(len(blocks))):
        raise ValueError("blocks are missing")
    found: dict[str, object] = {
        "feature_dim": sizes["BN.0.1.weight"][0],
        "layer": len(blocks),
        "sr": 44100,
        "win": 2 * (bins - 1) * 1000 / 44100,
    }
    for rate in (44100, 48000, 32000, 24000, 22050, 16000):
        if rate * 20 // 2000 + 1 == bins:
            found |= {"sr": rate, "win": 20}
            break
    return found
