"""Settings of the envelope network."""

from dataclasses import dataclass

from audiofix.settings import NetworkSettings


@dataclass(frozen=True, slots=True)
class EnvelopeConfig(NetworkSettings):
    """One architecture of the family.

    Attributes:
        bands: bands whose level is predicted, from 0 Hz upwards.
        band_hz: width of a band.
        channels: of an expert's hidden layers.
        kernel_size: taps of the gated convolutions.
        dilations: of an expert's gated convolutions, in frames of 10 ms.
        lookahead: frames after the predicted one that the network sees.
        gate_bands: bands that the gate hears, from 0 Hz upwards.
        gate_channels: of the gate's hidden layers.
        gate_dilations: of its gated convolutions.
        gate_dropout: share of its features and of what its layers return that is dropped in
            training.
        caution: log10 power that is left out of active frames of a voice up to 8 kHz, whatever the
            network says.
    """

    bands: int = 80
    band_hz: float = 300.0
    channels: int = 80
    kernel_size: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    lookahead: int = 1
    gate_bands: int = 12
    gate_channels: int = 32
    gate_dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    gate_dropout: float = 0.1
    caution: float = 0.0

    @property
    def top_hz(self) -> float:
        """Where the highest band ends."""
        return self.bands * self.band_hz
