"""What a codec's sound is trained by: distances to its target, and what discriminators make of it.

Wu, Gebru, Marković and Richard, "AudioDec", ICASSP 2023, section 2, and its code.
"""

from dataclasses import dataclass

import torch
from audiofix.trainers.losses import adversarial
from audiofix.trainers.losses.spectral import spectral_losses
from audiofix.trainers.losses.weighted import WeightedLosses
from audiofix.trainers.recipe import TOTAL, Losses
from torch import Tensor, nn
from torch.nn.functional import l1_loss, max_pool1d

from audiofix.dsp.mel import log_mel, mel_filters
from audiofix.dsp.stft import STFT

_QUIETEST_SIZE = 1e-3
_WORST_DIFFERENCE = 4.0
_STFT_SECONDS = (0.010, 0.025, 0.064)


@dataclass(frozen=True, slots=True)
class SoundLossSettings:
    """Weights of the losses; what weighs nothing is not computed.

    Attributes:
        mel: log-mel distance (published: 45).
        mel_fft: samples of its transform.
        mel_bands: of its filters.
        stft: multi-resolution STFT loss, its windows 10, 25 and 64 ms (published: off).
        waveform: distance of the samples, relative to the target's size (ours: few steps do not
            suffice to find phases from spectra alone).
        shape: distance of the envelopes (published: off).
        adversarial: of the discriminator's scores (published: 1, where there is one).
        feature_matching: of its feature maps (published: 2, where there is one).
    """

    mel: float = 45.0
    mel_fft: int = 2048
    mel_bands: int = 80
    stft: float = 0.0
    waveform: float = 0.0
    shape: float = 0.0
    adversarial: float = 0.0
    feature_matching: float = 0.0

    @property
    def needs_discriminator(self) -> bool:
        """Whether a discriminator takes part."""
        return bool(self.adversarial or self.feature_matching)


class SoundLosses:
    """The losses of sound at one rate. All sound is `[batch, channels, samples]`."""

    def __init__(self, settings: SoundLossSettings, rate: int, hop: int) -> None:
        """Prepare filters.

        Args:
            settings: the weights.
            rate: samples per second.
            hop: samples between the mel spectra, and in a stretch of the envelope.
        """
        self._settings = settings
        self._hop = hop
        self._filters = mel_filters(rate, settings.mel_fft, settings.mel_bands)
        self._resolutions = tuple(_resolution(seconds, rate) for seconds in _STFT_SECONDS)

    def distances(self, estimate: Tensor, target: Tensor) -> WeightedLosses:
        """Return the distances that weigh something, in float32 whatever the autocast."""
        weights, parts = self._settings, WeightedLosses()
        with torch.autocast(estimate.device.type, enabled=False):
            x, y = estimate.float(), target.float()
            if weights.mel:
                parts["mel"] = weights.mel, self.mel_distance(x, y)
            if weights.stft:
                rows = x.flatten(0, 1), y.flatten(0, 1)
                convergence, distance = spectral_losses(*rows, self._resolutions, each=True)
                parts["stft"] = weights.stft, convergence + distance
            if weights.waveform:
                parts["waveform"] = weights.waveform, waveform_distance(x, y)
            if weights.shape:
                parts["shape"] = weights.shape, shape_distance(x, y, self._hop)
        return parts

    def mel_distance(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the mean absolute difference of the log-mel spectra."""
        made, wanted = (
            log_mel(x.flatten(0, 1), self._filters, self._hop) for x in (estimate, target)
        )
        return l1_loss(made, wanted)

    def adversarial(
        self, discriminator: nn.Module, estimate: Tensor, target: Tensor
    ) -> WeightedLosses:
        """Return the generator's adversarial loss, and its feature matching loss.

        Sums over the discriminators; each one's last map is its score, and no feature.
        """
        weights = self._settings
        with torch.no_grad():
            real = discriminator(target)
        fake = discriminator(estimate)
        scores = [maps[-1] for maps in fake]
        distances = [
            l1_loss(made, wanted)
            for one, other in zip(fake, real, strict=True)
            for made, wanted in zip(one[:-1], other[:-1], strict=True)
        ]
        return {
            "adversarial": (weights.adversarial, adversarial.least_squares_generator(scores)),
            "feature_matching": (weights.feature_matching, torch.stack(distances).sum()),
        }


def waveform_distance(estimate: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference over each target's mean size, at most 4 a clip.

    A clip that is nearly silent counts as if its mean size were 0.001.
    """
    size = target.abs().mean((1, 2)).clamp(min=_QUIETEST_SIZE)
    difference = (estimate - target).abs().mean((1, 2)) / size
    return difference.clamp(max=_WORST_DIFFERENCE).mean()


def shape_distance(estimate: Tensor, target: Tensor, window: int) -> Tensor:
    """Return the mean absolute difference of the peaks in every `window` samples."""
    made, wanted = (max_pool1d(x.abs(), window) for x in (estimate, target))
    return l1_loss(made, wanted)


def discriminator_losses(discriminator: nn.Module, estimate: Tensor, target: Tensor) -> Losses:
    """Return what the discriminators minimise, summed over them."""
    real = [maps[-1] for maps in discriminator(target)]
    fake = [maps[-1] for maps in discriminator(estimate)]
    return {TOTAL: adversarial.least_squares_discriminator(real, fake)}


def _resolution(seconds: float, rate: int) -> STFT:
    window = round(seconds * rate)
    return STFT(1 << (window - 1).bit_length(), window // 4, window)
