"""How Apollo is trained: as published (Li and Luo, ICASSP 2025), and as we train what we ship."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.checkpoint import export, start_from
from audiofix.trainers.data.clips import read_sound
from audiofix.trainers.data.coded_clips import CodedClips, CodedClipSettings, scaled_pair
from audiofix.trainers.data.corpora import recordings, recordings_of, spread
from audiofix.trainers.data.paired_clips import PairedClips, pairs_of_split, read_pair
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.sound import waveform_distance
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.recipes import apollo_losses as losses
from audiofix.trainers.run_log import Example
from audiofix.trainers.validation import batch_of_one, example
from torch import Tensor, nn

from audiofix.audio.format import Chunk, as_chunk
from audiofix.audio.lossy import coded, parse_coding
from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.discriminator import (
    WINDOWS,
    DiscriminatorConfig,
    MultiFrequencyDiscriminator,
)
from audiofix.backends.apollo.network import DITHER_PERIOD, Apollo
from audiofix.errors import SettingsError
from audiofix.metrics.lsd import lsd

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; what weighs nothing is not computed.

    Attributes:
        spectral: distance of the magnitudes at seven windows (published: 1).
        adversarial: of the discriminators' scores (published: 1).
        feature_matching: distance of the discriminators' maps (published: 1).
        log_spectral: the log-spectral distance (ours).
        waveform: distance of the samples, relative to the original's size (ours).
        harm: of each dB of SI-SDR that is lost (ours).
        windows: of the discriminators (published: seven).
    """

    spectral: float = 1.0
    adversarial: float = 1.0
    feature_matching: float = 1.0
    log_spectral: float = 0.0
    waveform: float = 0.0
    harm: float = 0.0
    windows: tuple[int, ...] = WINDOWS


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """What is validated.

    Attributes:
        codings: each file is validated at each of these.
        files: held-out files, spread over the split; 0 for all.
        seconds: from the middle of each.
    """

    codings: tuple[str, ...] = ("mp3:32k", "mp3:64k", "mp3:128k")
    files: int = 8
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        start: checkpoint to start from, empty for fresh weights.
        folders: names of the folders whose files are used, none for all.
        pairs: whether the data are recordings and their own coded versions, in the folders `train`
            and `validation` (see `audio.pairs`), instead of recordings that are coded here.
        half: whether checkpoints hold float16.
    """

    name: str = "apollo"
    model: ApolloConfig = field(default_factory=ApolloConfig)
    data: CodedClipSettings = field(default_factory=CodedClipSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    start: str = ""
    folders: tuple[str, ...] = ()
    pairs: bool = False
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            SettingsError: names the setting.
        """
        if self.data.rate != self.model.sr:
            raise SettingsError(f"data.rate: {self.data.rate}: must be model.sr, {self.model.sr}")
        if self.data.samples < max(self.model.window, *WINDOWS):
            raise SettingsError(f"data.samples: {self.data.samples}: too few for the spectra")


class ApolloRecipe(Recipe):
    """`trainers.recipe.Recipe` for Apollo."""

    monitor = "lsd"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
        """
        self.settings = settings
        self.device = device
        network = Apollo(settings.model)
        start_from(network, settings.start)
        self.networks: dict[str, nn.Module] = {GENERATOR: network.to(device)}
        if settings.loss.adversarial or settings.loss.feature_matching:
            config = DiscriminatorConfig(settings.data.channels, settings.loss.windows)
            discriminator = MultiFrequencyDiscriminator(config).to(device)
            # As published, the discriminator has the first turn.
            self.networks = {DISCRIMINATOR: discriminator, **self.networks}
        self._find_data(source)
        self._validation_pair = cache(self._coded_middle)

    def _find_data(self, source: Path) -> None:
        settings, found = self.settings, {}
        self._clips: CodedClips | PairedClips
        if settings.pairs:
            pairs = {split: pairs_of_split(source, split) for split in ("train", "validation")}
            for split, named in pairs.items():
                found[split] = [recordings_of(one, split)[0] for one, _ in named.values()]
            # The coded recording of each held-out original.
            self._coded_files = dict(pairs["validation"].values())
            self._clips = PairedClips(pairs["train"], settings.data)
        else:
            for split in ("train", "validation"):
                found[split] = recordings(source, split, folders=settings.folders)
            self._clips = CodedClips(found["train"], settings.data)
        self.training = found["train"]
        self.held_out = spread(found["validation"], settings.validation.files)

    @property
    def _damages(self) -> tuple[str, ...]:
        """What held-out recordings are validated after."""
        return ("pair",) if self.settings.pairs else self.settings.validation.codings

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip and its coded version."""
        original, decoded = self._clips.draw(generator)
        return {"original": original, "coded": decoded}

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn."""
        original = batch["original"]
        if turn.network == DISCRIMINATOR:
            with torch.no_grad():
                made = self._restored(batch["coded"])
            fake, _ = self.networks[DISCRIMINATOR](made)
            real, _ = self.networks[DISCRIMINATOR](original)
            return TurnResult({TOTAL: losses.discriminator_loss(real, fake)})
        return TurnResult(weighted_sum(self._generator_losses(batch["coded"], original)))

    def _generator_losses(self, decoded: Tensor, original: Tensor) -> WeightedLosses:
        weights, made = self.settings.loss, self._restored(decoded)
        parts: WeightedLosses = {}
        if weights.spectral:
            parts["spectral"] = weights.spectral, losses.spectral_loss(made, original)
        if weights.log_spectral:
            distance = lsd(made.flatten(0, 1), original.flatten(0, 1))
            parts["log_spectral"] = weights.log_spectral, distance
        if weights.waveform:
            parts["waveform"] = weights.waveform, waveform_distance(made, original)
        if weights.harm:
            parts["harm"] = weights.harm, losses.harm(made, decoded, original)
        if DISCRIMINATOR in self.networks:
            scores, maps = self.networks[DISCRIMINATOR](made)
            _, real_maps = self.networks[DISCRIMINATOR](original)
            matched = losses.feature_matching(real_maps, maps)
            parts["adversarial"] = weights.adversarial, losses.adversarial_loss(scores)
            parts["feature_matching"] = weights.feature_matching, matched
        return parts

    def _restored(self, decoded: Tensor) -> Tensor:
        """Return what the generator makes of a batch in training.

        Each step begins at another place in the noise that the network sees, or it would learn the
        noise by heart.
        """
        start = int(torch.randint(DITHER_PERIOD, ()))
        made: Tensor = self.networks[GENERATOR](decoded, start)
        return made

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return LSD and negative SI-SDR at each coding, and what they are before restoration."""
        figures: dict[str, list[float]] = {}
        for word in self._damages:
            for place in self.world.share(range(len(self.held_out))):
                original, decoded = self._validation_pair(place, word)
                made = networks[GENERATOR](decoded)
                for name, sound in (("", made), ("input_", decoded)):
                    distance = lsd(sound[0], original[0]).item()
                    figures.setdefault(f"{name}lsd_{word}", []).append(distance)
                    ratio = losses.negative_ratio(sound, original).item()
                    figures.setdefault(f"{name}neg_sisdr_{word}", []).append(ratio)
        gathered = self.world.gathered(figures)
        means = {name: float(np.mean(values)) for name, values in gathered.items()}
        every = [value for name, value in means.items() if name.startswith("lsd_")]
        return {**means, "lsd": float(np.mean(every))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out clips: input, estimate, target."""
        words = self._damages
        examples = []
        chosen = list(enumerate(spread(range(len(self.held_out)), count)))
        for index, place in self.world.share(chosen):
            word = words[index % len(words)]
            original, decoded = self._validation_pair(place, word)
            made = networks[GENERATOR](decoded)
            sounds = {"input": decoded, "estimate": made, "target": original}
            name = f"{self.held_out[place].path.stem}-{word.replace(':', '-')}"
            examples.append(example(name, self.settings.data.rate, sounds))
        return examples

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the generator as a checkpoint for `decode-restore --model`."""
        settings = self.settings
        config = {**asdict(settings.model), "rate": settings.model.sr}
        export(path, settings, "apollo", config, networks[GENERATOR].state_dict())

    def _coded_middle(self, place: int, word: str) -> tuple[Tensor, Tensor]:
        """Return the middle of a held-out file and its coded version, `[1, channels, samples]`."""
        settings = self.settings
        rate, channels = settings.data.rate, settings.data.channels
        recording = self.held_out[place]
        if settings.pairs:
            sound, decoded = read_pair((recording.path, self._coded_files[recording.path]), rate)
        else:
            sound = read_sound(recording, rate)[:2]
            decoded = coded(sound, rate, parse_coding(word))
        samples = min(sound.shape[1], round(settings.validation.seconds * rate))
        start = (sound.shape[1] - samples) // 2
        pair = scaled_pair(
            sound[:, start : start + samples], decoded[:, start : start + samples], 0
        )
        first, second = (self._tensor(one, channels) for one in pair)
        return first, second

    def _tensor(self, sound: Chunk, channels: int) -> Tensor:
        rows = sound[:channels] if len(sound) >= channels else np.repeat(sound, channels, axis=0)
        least = max(self.settings.model.window, *WINDOWS)
        rows = np.pad(rows, ((0, 0), (0, max(0, least - rows.shape[1]))))
        return batch_of_one(as_chunk(rows), self.device)
