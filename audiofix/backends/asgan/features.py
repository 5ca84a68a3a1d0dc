"""The features that ASGAN's mel variant makes (specification, section 4.3)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiofix.dsp.mel import mel_filters, uncentred_log_mel
from audiofix.settings import NetworkSettings

Features = NDArray[np.float32]
"""`[frames, dimensions]`."""


@dataclass(frozen=True, slots=True)
class MelConfig(NetworkSettings):
    """One mel spectrum. The defaults are the published mel variant's.

    Attributes:
        rate: samples per second of the sound.
        fft_size: samples of a frame.
        hop: samples between frames.
        bands: of Slaney's scale, from 0 to half the rate.
        floor: amplitude below which values are not told apart.
        offset: subtracted from the natural logarithm.
        scale: that the rest is divided by.
    """

    rate: int = 16000
    fft_size: int = 1024
    hop: int = 160
    bands: int = 128
    floor: float = 1e-5
    offset: float = 0.0
    scale: float = 1.0

    def analyse(self, sound: Tensor) -> Tensor:
        """Return features `[batch, samples // hop, bands]` of sound `[batch, samples]`."""
        filters = mel_filters(self.rate, self.fft_size, self.bands)
        spectrum = uncentred_log_mel(sound, filters, self.hop, floor=self.floor)
        return ((spectrum - self.offset) / self.scale).transpose(1, 2)

    def amplitudes(self, features: Tensor) -> Tensor:
        """Return the mel amplitudes `[batch, bands, frames]` that features stand for."""
        logarithms = features.transpose(1, 2) * self.scale + self.offset
        return torch.exp(logarithms)
