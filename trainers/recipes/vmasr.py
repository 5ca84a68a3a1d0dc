"""How VM-ASR is trained: as published (specification, section 8), and as we train what we ship."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from audiofix.trainers.checkpoint import export, start_from
from audiofix.trainers.data.band import BandSettings, take_band
from audiofix.trainers.data.clips import Clips, known_share
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses import adversarial
from audiofix.trainers.losses.gradient_penalty import gradient_penalty
from audiofix.trainers.losses.spectral import spectral_losses
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.recipe import TOTAL, Batch, Item, Losses, Recipe, Turn, TurnResult
from audiofix.trainers.run_log import Example
from audiofix.trainers.validation import VALIDATION_SEED, batch_of_one, centre_clip, example
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.discriminator import DiscriminatorConfig, MultiPeriodDiscriminator
from audiofix.backends.vmasr.enhance import enhance_spectra
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.vmasr.restore import edge_bin
from audiofix.dsp.stft import log_magnitude_and_phase
from audiofix.errors import SettingsError
from audiofix.metrics.lsd import lsd

_TELLING_SHARE = 0.05
"""Part of the band that a recording must know above the input's to be validated."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What clips are cut from, and how.

    Attributes:
        rate: samples per second of the model.
        frames: of a clip, a multiple of the network's `frame_multiple`.
        folders: names of the folders whose files are used, none for all.
        silences: VCTK's time stamps of speech, empty for none.
        speeds: playback speeds to draw from.
        band: how the high band is taken away.
        validation_rates: input rates of the validation.
        validation_files: files validated, spread over the split; 0 for all.
    """

    rate: int = 48000
    frames: int = 128
    folders: tuple[str, ...] = ()
    silences: str = ""
    speeds: tuple[float, ...] = (1.0,)
    band: BandSettings = field(default_factory=BandSettings)
    validation_rates: tuple[int, ...] = (8000, 16000, 24000)
    validation_files: int = 16


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; what weighs nothing is not computed.

    Attributes:
        distance: the log-spectral distance itself.
        magnitude: log-magnitudes above the edge.
        stft: multi-resolution STFT loss (published: 1).
        adversarial: of the discriminator's scores (published: 1).
        feature_matching: of the discriminator's feature maps (published: 100).
        gan: least squares, Wasserstein, or Wasserstein with gradient penalty.
        penalty: of the gradient in wgan-gp.
        hidden: width of the discriminator.
    """

    distance: float = 0.0
    magnitude: float = 0.0
    stft: float = 1.0
    adversarial: float = 0.0
    feature_matching: float = 0.0
    gan: Literal["lsgan", "wgan", "wgan-gp"] = "lsgan"
    penalty: float = 10.0
    hidden: int = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        keep_low_band: train what `upsample` does, with the input's own band below the edge; else
            the network sets the whole band, as published.
        filled: fill the empty band with overtones of the lower one before the network sees it.
        start: checkpoint to start from, empty for fresh weights.
        half: whether checkpoints hold float16.
    """

    name: str = "vmasr"
    model: VMASRConfig = field(default_factory=VMASRConfig)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    keep_low_band: bool = True
    filled: bool = False
    start: str = ""
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse what the network cannot take.

        Raises:
            SettingsError: a setting is out of its range.
        """
        frames, multiple = self.data.frames, self.model.frame_multiple
        if frames < 1 or frames % multiple:
            raise SettingsError(f"data.frames: {frames}: must be a multiple of {multiple}")
        if not self.data.validation_rates:
            raise SettingsError("data.validation_rates: none: name one at least")
        if not any(asdict(self.loss)[name] for name in ("distance", "magnitude", "stft")):
            raise SettingsError("loss: give distance, magnitude or stft a weight")


class VMASRRecipe(Recipe):
    """`trainers.recipe.Recipe` for VM-ASR."""

    monitor = "lsd"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
        """
        self.settings = settings
        data, loss = settings.data, settings.loss
        network = VMASR(settings.model)
        start_from(network, settings.start)
        self.networks: dict[str, nn.Module] = {"generator": network.to(device)}
        if loss.adversarial or loss.feature_matching:
            discriminator = MultiPeriodDiscriminator(DiscriminatorConfig(hidden=loss.hidden))
            self.networks["discriminator"] = discriminator.to(device)
        self.device = device
        silences = Path(data.silences) if data.silences else None
        self.training, validation = (
            recordings(source, split, folders=data.folders, silences=silences)
            for split in ("train", "validation")
        )
        self.held_out = spread(validation, data.validation_files)
        self._clip_samples = (data.frames - 1) * settings.model.hop_length
        self._clips = Clips(self.training, data.rate, self._clip_samples, data.speeds)

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip with and without its high band, and the bin where that begins."""
        data = self.settings.data
        clip = self._clips.draw(generator)
        low_rate = data.band.draw_rate(generator, clip.known * data.rate)
        degraded = take_band(clip.samples, data.rate, low_rate, data.band, generator)
        return {
            "clean": clip.samples,
            "degraded": degraded,
            "edge": self._edge(low_rate),
            "known": np.array(clip.known, np.float32),
        }

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn."""
        if turn.network == "generator":
            return self._generator(batch)
        assert turn.fake is not None
        return TurnResult(self._discriminator(batch["clean"], turn.fake))

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the mean log-spectral distance, at each input rate and over all."""
        figures = {}
        for rate in self.settings.data.validation_rates:
            distances = []
            for recording in self.world.share(self.held_out):
                clean, degraded, known = self._held_out_clip(recording, rate)
                if known < min(1, rate / self.settings.data.rate + _TELLING_SHARE):
                    continue  # it does not tell what is missing
                made = self._restore(networks["generator"], degraded, rate)
                distances.append(lsd(made[:, 0], clean[:, 0], known).item())
            distances = self.world.gathered({"lsd": distances})["lsd"]
            if distances:
                figures[f"lsd_{rate}"] = float(np.mean(distances))
        mean = float(np.mean(list(figures.values()))) if figures else math.inf
        return {**figures, "lsd": mean}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out clips: input, estimate, target."""
        data = self.settings.data
        examples = []
        chosen = list(enumerate(spread(self.held_out, count)))
        for place, recording in self.world.share(chosen):
            rate = data.validation_rates[place % len(data.validation_rates)]
            clean, degraded, _ = self._held_out_clip(recording, rate)
            made = self._restore(networks["generator"], degraded, rate)
            sounds = {"input": degraded, "estimate": made, "target": clean}
            examples.append(example(f"{recording.path.stem}-{rate}", data.rate, sounds))
        return examples

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the generator as a checkpoint for `upsample --model`."""
        settings = self.settings
        config = {**asdict(settings.model), "rate": settings.data.rate, "filled": settings.filled}
        export(path, settings, "vmasr", config, networks["generator"].state_dict())

    def _edge(self, low_rate: int) -> NDArray[np.int64]:
        settings = self.settings
        return np.array(edge_bin(low_rate / 2, settings.data.rate, settings.model.bins))

    def _made(self, network: nn.Module, degraded: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Return the network's spectra `[batch, bins, frames]` and sound `[batch, 1, samples]`."""
        assert isinstance(network, VMASR)
        samples = degraded.shape[-1]
        if self.settings.keep_low_band:
            source = network.transform(degraded)
            spectra = enhance_spectra(network, source, edge, filled=self.settings.filled)
            return spectra, network.inverse(spectra, samples)
        magnitude, phase = network.spectra(degraded)
        wave = network.wave_from_spectra(magnitude, phase, edge, samples)
        return network.transform(wave), wave

    def _generator(self, batch: Batch) -> TurnResult:
        weights, network = self.settings.loss, self.networks["generator"]
        clean, edge = batch["clean"], batch["edge"]
        spectra, made = self._made(network, batch["degraded"], edge)
        estimate, target = made[:, 0].float(), clean[:, 0]
        parts = WeightedLosses()
        if weights.distance:
            parts["distance"] = weights.distance, lsd(estimate, target, batch["known"])
        if weights.magnitude:
            assert isinstance(network, VMASR)
            wanted = network.transform(clean)
            parts["magnitude"] = weights.magnitude, _above(spectra, wanted, edge, batch["known"])
        if weights.stft:
            convergence, distance = spectral_losses(estimate, target, each=True)
            parts["stft"] = weights.stft, 0.5 * convergence + 0.5 * distance
        if "discriminator" in self.networks:
            parts |= self._adversarial(clean, made)
        return TurnResult(weighted_sum(parts), made)

    def _adversarial(self, clean: Tensor, made: Tensor) -> WeightedLosses:
        weights = self.settings.loss
        _, scores, real_maps, made_maps = self.networks["discriminator"](clean, made)
        loss = adversarial.wasserstein_generator
        if weights.gan == "lsgan":
            loss = adversarial.least_squares_generator
        return {
            "adversarial": (weights.adversarial, loss(scores)),
            "feature_matching": (
                weights.feature_matching,
                adversarial.feature_matching(real_maps, made_maps),
            ),
        }

    def _discriminator(self, clean: Tensor, made: Tensor) -> Losses:
        discriminator, weights = self.networks["discriminator"], self.settings.loss
        real, fake, _, _ = discriminator(clean, made)
        if weights.gan == "lsgan":
            return {TOTAL: adversarial.least_squares_discriminator(real, fake)}
        total = adversarial.wasserstein_discriminator(real, fake)
        if weights.gan == "wgan-gp":
            penalty = gradient_penalty(lambda wave: discriminator(wave)[0], clean, made)
            total = total + weights.penalty * penalty
        return {TOTAL: total}

    def _held_out_clip(self, recording: Recording, rate: int) -> tuple[Tensor, Tensor, Tensor]:
        data = self.settings.data
        clip, own_rate = centre_clip(recording, data.rate, self._clip_samples)
        generator = np.random.default_rng(VALIDATION_SEED)
        degraded = take_band(clip, data.rate, rate, data.band, generator)
        known = torch.tensor([known_share(own_rate, data.rate)], device=self.device)
        return batch_of_one(clip, self.device), batch_of_one(degraded, self.device), known

    def _restore(self, network: nn.Module, degraded: Tensor, rate: int) -> Tensor:
        edge = torch.from_numpy(self._edge(rate))[None].to(self.device)
        return self._made(network, degraded, edge)[1]


def _above(made: Tensor, wanted: Tensor, edge: Tensor, known: Tensor) -> Tensor:
    """Return the distance of the log-magnitudes from each item's edge to the end of its target."""
    bins = torch.arange(made.shape[1], device=made.device)
    missing = (bins >= edge[:, None]) & (bins < known[:, None] * bins.numel())
    missing = missing[:, :, None]
    made_log, _ = log_magnitude_and_phase(made)
    wanted_log, _ = log_magnitude_and_phase(wanted)
    return l1_loss(made_log * missing, wanted_log * missing)
