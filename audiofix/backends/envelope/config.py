"""Settings of the envelope network."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import cast

from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class EnvelopeConfig:
    """One architecture of the family.

    Attributes:
        bands: bands whose level is predicted, from 0 Hz upwards.
        band_hz: width of a band.
        channels: of the hidden layers.
        kernel_size: taps of the gated convolutions.
        dilations: of the gated convolutions, in frames of 10 ms.
        lookahead: frames after the predicted one that the network sees.
    """

    bands: int = 80
    band_hz: float = 300.0
    channels: int = 80
    kernel_size: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    lookahead: int = 1

    @classmethod
    def from_mapping(cls, config: Mapping[str, object]) -> "EnvelopeConfig":
        """Return the settings that a checkpoint holds.

        Raises:
            SettingsError: a key is unknown.
        """
        unknown = set(config) - {field.name for field in fields(cls)}
        if unknown:
            raise SettingsError(f"{min(unknown)}: not a setting of the envelope network: remove it")
        chosen = dict(config)
        if "dilations" in chosen:
            chosen["dilations"] = tuple(cast(list[int], chosen["dilations"]))
        return replace(cls(), **chosen)  # type: ignore[arg-type]  # names are checked

    @property
    def top_hz(self) -> float:
        """Where the highest band ends."""
        return self.bands * self.band_hz
