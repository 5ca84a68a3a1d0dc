"""Settings of the envelope network."""

from dataclasses import dataclass

from audiofix.settings import NetworkSettings


@dataclass(frozen=True, slots=True)
class EnvelopeConfig(NetworkSettings):
    """One architecture of the family.

    Attributes:
        bands: bands whose level is predicted, from 0 Hz upwards.
        band_hz: width of a band.
        channels: of the hidden layers.
        kernel_size: taps of the gated convolutions.
        dilations: of the gated convolutions, in frames of 10 ms.
        lookahead: frames after the predicted one that the network sees.
        extrapolates: whether an untrained network extrapolates (see `extrapolation`), or names one
            level that falls slowly.
        dropout: share of the features and of what the layers return that is dropped in training.
        caution: log10 power that is left out of active frames up to 8 kHz, whatever the network
            says. 0 for one that was trained to be cautious where that serves.
    """

    bands: int = 80
    band_hz: float = 300.0
    channels: int = 80
    kernel_size: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    lookahead: int = 1
    extrapolates: bool = False
    dropout: float = 0.0
    caution: float = 1.0

    @property
    def top_hz(self) -> float:
        """Where the highest band ends."""
        return self.bands * self.band_hz
