"""How AudioDec's vocoders are trained (Wu et al., ICASSP 2023; specification, section 11).

An autoencoder that is done turns clips into dequantised code vectors, and the vocoder learns to
turn those back, against discriminators. The checkpoint holds both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.clips import read_sound
from audiofix.trainers.data.corpora import spread
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.sound import SoundLossSettings
from audiofix.trainers.losses.weighted import WeightedLosses
from audiofix.trainers.progress import Bar
from audiofix.trainers.recipes.audiodec import fill_autoencoder
from audiofix.trainers.recipes.reconstruction import (
    GENERATOR,
    ClipSettings,
    DiscriminatorSettings,
    ReconstructionRecipe,
)
from torch import Tensor, nn

from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.config import (
    VOCODER_PREFIX,
    AutoencoderConfig,
    CodecConfig,
    VocoderConfig,
)
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.systems import load_checkpoint
from audiofix.errors import SettingsError
from audiofix.nn.vq import Quantised

_STRETCH_SECONDS = 20.0
"""Longer recordings are analysed in stretches, so that memory does not grow with them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        start: checkpoint of the autoencoder whose vectors the vocoder decodes.
        statistics_files: files that the vectors' mean and deviation are taken from, spread over
            the training data; 0 for all (published).
        half: whether checkpoints hold float16.
    """

    name: str = "audiodec-vocoder"
    start: str = ""
    model: VocoderConfig = field(default_factory=VocoderConfig)
    discriminator: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    data: ClipSettings = field(default_factory=ClipSettings)
    loss: SoundLossSettings = field(default_factory=SoundLossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    statistics_files: int = 0
    half: bool = False


class VocoderRecipe(ReconstructionRecipe):
    """`trainers.recipe.Recipe` for the vocoder."""

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Open the autoencoder, make the networks and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the autoencoder cannot be read.
            SettingsError: there is none, or it does not fit the vocoder or the data's rate.
        """
        super().__init__(settings.data, settings.loss, settings.model.hop, source)
        self.settings = settings
        if not settings.start:
            raise SettingsError("start: needs an autoencoder: add --set start=CHECKPOINT")
        start = load_checkpoint(settings.start)
        config = CodecConfig.from_mapping(start.config)
        coder = config.autoencoder
        if not isinstance(coder, AutoencoderConfig):
            raise SettingsError(f"start={settings.start}: its own decoder needs no vocoder")
        self._analyser = Autoencoder(coder)
        fill_autoencoder(self._analyser, start)
        self._analyser.eval().requires_grad_(False).to(device)
        _check(settings, config.rate, coder)
        vocoder = Vocoder(settings.model)
        discriminator = settings.discriminator if settings.loss.needs_discriminator else None
        self.add_networks(vocoder, discriminator, device)

    def prepare(self, bar: Bar) -> None:
        """Measure the vectors of the training data."""
        vocoder = self.networks[GENERATOR]
        assert isinstance(vocoder, Vocoder)
        mean, deviation = self._statistics(bar)
        vocoder.mean.copy_(mean)
        vocoder.scale.copy_(deviation)

    @torch.no_grad()
    def vectors(self, sound: Tensor) -> Tensor:
        """Return the dequantised vectors `[batch, dim, frames]` of `[batch, 1, samples]`."""
        analyser = self._analyser
        # Half precision would choose other codewords.
        with torch.autocast(sound.device.type, enabled=False):
            found: Quantised = analyser.quantizer(analyser.projector(analyser.encoder(sound)))
        return found.vectors

    def _statistics(self, bar: Bar) -> tuple[Tensor, Tensor]:
        """Return the vectors' mean and population deviation in each dimension; 1 for none."""
        data = self.settings.data
        total, squares = torch.zeros(2, self.settings.model.in_channels, dtype=torch.float64)
        frames = 0
        stretch_samples = round(_STRETCH_SECONDS * data.rate) // self._hop * self._hop
        measured = spread(self.training, self.settings.statistics_files)
        with bar("statistics", len(measured), " files") as tick:
            for done, recording in enumerate(measured, 1):
                sound = torch.from_numpy(read_sound(recording, data.rate))[:, None]
                for stretch in sound.split(stretch_samples, dim=2):
                    vectors = self.vectors(stretch.to(self.device)).double().cpu()
                    total += vectors.sum((0, 2))
                    squares += vectors.square().sum((0, 2))
                    frames += vectors.shape[0] * vectors.shape[2]
                if tick:
                    tick(done)
        mean = total / frames
        deviation = (squares / frames - mean.square()).clamp(min=0).sqrt()
        return mean.float(), torch.where(deviation > 0, deviation, 1.0).float()

    def reconstruct(self, network: nn.Module, source: Tensor) -> tuple[Tensor, WeightedLosses]:
        """Return the sound that the vocoder makes of its input's vectors."""
        return network(self.vectors(source)), {}

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write autoencoder and vocoder as one checkpoint for `encode --model`."""
        settings = self.settings
        config = {
            "rate": settings.data.rate,
            "autoencoder": asdict(self._analyser.config),
            "vocoder": asdict(settings.model),
        }
        vocoder = networks[GENERATOR].state_dict()
        tensors = {VOCODER_PREFIX + name: tensor for name, tensor in vocoder.items()}
        tensors |= self._analyser.state_dict()
        export(path, settings, "audiodec", config, tensors)


def _check(settings: Settings, rate: int, coder: AutoencoderConfig) -> None:
    pairs = {
        "data.rate": (settings.data.rate, rate),
        "model.upsample_scales": (settings.model.hop, coder.hop),
        "model.in_channels": (settings.model.in_channels, coder.code_dim),
    }
    for name, (own, wanted) in pairs.items():
        if own != wanted:
            raise SettingsError(f"{name}: gives {own}, the autoencoder wants {wanted}")
