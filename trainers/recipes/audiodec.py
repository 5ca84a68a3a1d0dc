"""How AudioDec's autoencoder is trained (Wu et al., ICASSP 2023; specification, section 11).

Stage 1 learns encoder, codebooks and decoder from spectral distances; stage 2 keeps the codes as
they are and teaches the decoder with discriminators. Denoising trains an encoder for codebooks and
decoder that exist. Small data sets can start without codes at all and take the first codebooks from
the encoder's own vectors.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.codebooks import codebooks_from, codeword_usage
from audiofix.trainers.data.clips import Clips
from audiofix.trainers.data.corpora import recordings
from audiofix.trainers.data.noise import add_noise
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.sound import SoundLossSettings
from audiofix.trainers.losses.weighted import WeightedLosses
from audiofix.trainers.progress import Bar
from audiofix.trainers.recipe import Batch, Turn, TurnResult
from audiofix.trainers.recipes.reconstruction import (
    GENERATOR,
    ClipSettings,
    DiscriminatorSettings,
    ReconstructionRecipe,
)
from torch import Tensor, nn

from audiofix.audio.format import Chunk
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.config import VOCODER_PREFIX, AutoencoderConfig
from audiofix.backends.systems import load_checkpoint
from audiofix.backends.weights import Checkpoint, fill_module
from audiofix.errors import SettingsError

Part = Literal["encoder", "decoder"]

_START_SEED = 0
_START_CLIPS = 1000
"""Clips that the first codebooks are made of."""

_FRAMES_AFTER_NOTHING = 8
"""First frames of a clip, left out of the codebooks: they see the zeros before it."""


@dataclass(frozen=True, slots=True)
class DataSettings(ClipSettings):
    """What clips are cut from, and the noise over them.

    Attributes:
        noise_db: lowest and highest signal-to-noise ratio of the encoder's input, for a denoising
            encoder; none for clean input.
        noise: manifest or folder of noises; empty for other clips of the same data.
    """

    noise_db: tuple[float, ...] = ()
    noise: str = ""


@dataclass(frozen=True, slots=True)
class LossSettings(SoundLossSettings):
    """Weights of the losses.

    Attributes:
        commitment: of the encoder to its codes (published: 1).
    """

    commitment: float = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        quantised: whether vectors pass through the codebooks.
        codebooks_from_data: make the codebooks, before the first step, of the encoder's vectors.
        learn_codebooks: move the codebooks with every step (published stage 1).
        frozen: parts that keep their weights: `encoder` (stage 2) or `decoder` (denoising).
        start: checkpoint to start from, empty for fresh weights.
        half: whether checkpoints hold float16.
    """

    name: str = "audiodec"
    model: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    discriminator: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    quantised: bool = True
    codebooks_from_data: bool = False
    learn_codebooks: bool = True
    frozen: tuple[Part, ...] = ()
    start: str = ""
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            SettingsError: the noise has no range.
        """
        if len(self.data.noise_db) not in (0, 2):
            raise SettingsError(f"data.noise_db: {list(self.data.noise_db)}: must be two numbers")


class AudioDecRecipe(ReconstructionRecipe):
    """`trainers.recipe.Recipe` for the autoencoder."""

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
            SettingsError: parts are frozen that were never trained, or clips are no whole number
                of frames.
        """
        if settings.frozen and not settings.start:
            raise SettingsError("frozen: needs weights to keep: add --set start=CHECKPOINT")
        super().__init__(settings.data, settings.loss, settings.model.hop, source)
        self.settings = settings
        data = settings.data
        self._noises = self._clips
        if data.noise:
            noises = recordings(Path(data.noise), "train")
            self._noises = Clips(noises, data.rate, data.samples, (1.0,))
        codec = Autoencoder(settings.model)
        if settings.start:
            fill_autoencoder(codec, load_checkpoint(settings.start))
        discriminator = settings.discriminator if settings.loss.needs_discriminator else None
        self.add_networks(codec, discriminator, device)

    def prepare(self, bar: Bar) -> None:
        """Make the first codebooks of the training data, where the settings want it.

        Raises:
            SettingsError: there are too few clips.
        """
        if not self.settings.codebooks_from_data:
            return
        codec = _autoencoder(self.networks[GENERATOR]).eval()
        with torch.no_grad():
            clips = self._start_clips(bar)
            vectors = [codec.projector(codec.encoder(clip[None])) for clip in clips]
        rows = torch.cat([one[0, :, _FRAMES_AFTER_NOTHING:].t() for one in vectors])
        codebooks_from(rows, codec.quantizer.codebook, _START_SEED, bar)

    def _start_clips(self, bar: Bar) -> Tensor:
        """Return clips of the training data, `[clips, 1, samples]`."""
        clips = []
        with bar("reading", _START_CLIPS, " clips") as tick:
            for number in range(_START_CLIPS):
                generator = np.random.default_rng([_START_SEED, number])
                clips.append(torch.from_numpy(self._clips.draw(generator).samples))
                if tick:
                    tick(number + 1)
        return torch.stack(clips).to(self.device)

    def degrade(self, clean: Chunk, generator: np.random.Generator) -> Chunk:
        """Return the clip, with noise over it where the settings want it."""
        noise_db = self.settings.data.noise_db
        if not noise_db:
            return clean
        noise = np.resize(self._noises.draw(generator).samples, clean.shape)
        return add_noise(clean, noise, noise_db, generator)

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn."""
        if turn.network == GENERATOR:
            self._keep_frozen()
        return super().losses(turn, batch)

    def _keep_frozen(self) -> None:
        """Undo, for what is frozen, the loop's readying of the whole network."""
        codec = _autoencoder(self.networks[GENERATOR])
        codec.quantizer.train(self.settings.learn_codebooks)
        frozen: list[nn.Module] = []
        if "encoder" in self.settings.frozen:
            frozen += [codec.encoder, codec.projector]
        if "decoder" in self.settings.frozen:
            frozen.append(codec.decoder)
        for part in frozen:
            part.eval().requires_grad_(False)

    def reconstruct(self, network: nn.Module, source: Tensor) -> tuple[Tensor, WeightedLosses]:
        """Return the decoded sound, and the codes' commitment."""
        codec = _autoencoder(network)
        vectors, parts = codec.projector(codec.encoder(source)), WeightedLosses()
        if self.settings.quantised:
            # Half precision would choose other codewords.
            with torch.autocast(source.device.type, enabled=False):
                found = codec.quantizer(vectors.float())
            vectors = found.vectors
            parts["commitment"] = self.settings.loss.commitment, found.losses.sum()
        return codec.decoder(vectors), parts

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the log-mel distance of held-out files, and how the codebooks are used."""
        figures = super().validate(networks)
        return {**figures, **self._usage(_autoencoder(networks[GENERATOR]))}

    def _usage(self, codec: Autoencoder) -> Mapping[str, float]:
        if not self.settings.quantised:
            return {}
        codes = []
        for recording in self.world.share(self.held_out):
            _, source = self.held_out_pair(recording)
            found = codec.quantizer(codec.projector(codec.encoder(source)))
            codes.append(found.codes.flatten(1).cpu())
        codes = self.world.gathered({"codes": codes})["codes"]
        return codeword_usage(torch.cat(codes, dim=1), self.settings.model.codebook_size)

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the codec as a checkpoint for `encode --model`."""
        settings = self.settings
        config = {"rate": settings.data.rate, "autoencoder": asdict(settings.model)}
        export(path, settings, "audiodec", config, networks[GENERATOR].state_dict())


def fill_autoencoder(codec: Autoencoder, start: Checkpoint) -> None:
    """Put a codec's tensors into the network, those of a vocoder left aside.

    Raises:
        CheckpointError: they do not fit.
    """
    own = {n: t for n, t in start.tensors.items() if not n.startswith(VOCODER_PREFIX)}
    fill_module(codec, own, start.name)


def _autoencoder(network: nn.Module) -> Autoencoder:
    assert isinstance(network, Autoencoder)
    return network
