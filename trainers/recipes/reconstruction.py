"""What recipes share whose network reconstructs a clip: AudioDec's decoders and vocoders."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.data.clips import Clips, read_sound
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.losses.sound import (
    SoundLosses,
    SoundLossSettings,
    discriminator_losses,
)
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.recipe import Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.run_log import Example
from audiofix.trainers.validation import VALIDATION_SEED, batch_of_one, example
from torch import Tensor, nn

from audiofix.audio.format import Chunk
from audiofix.backends.audiodec.discriminator import Kind, build, published
from audiofix.errors import SettingsError

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """What clips are cut from.

    Attributes:
        rate: samples per second of the model.
        samples: of a clip, a multiple of the hop.
        folders: names of the folders whose files are used, none for all.
        speeds: playback speeds to draw from.
        validation_files: files validated, spread over the split; 0 for all.
    """

    rate: int = 48000
    samples: int = 9600
    folders: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0,)
    validation_files: int = 16


@dataclass(frozen=True, slots=True)
class DiscriminatorSettings:
    """The discriminators, where the losses want any.

    Attributes:
        kind: those of HiFi-GAN, or those of UnivNet.
        divisor: their widths are the published ones divided by it; 1, 2, 4 or 8.
    """

    kind: Kind = "hifigan"
    divisor: int = 1


class ReconstructionRecipe(Recipe):
    """The part of `trainers.recipe.Recipe` that does not depend on what makes the sound."""

    monitor = "mel"

    def __init__(self, data: ClipSettings, loss: SoundLossSettings, hop: int, source: Path) -> None:
        """Find the data.

        Args:
            data: what of it is used.
            loss: what is minimised.
            hop: samples per frame of the network.
            source: see `corpora.recordings`.

        Raises:
            InputError: there is no data.
            SettingsError: clips are no whole number of frames.
        """
        if data.samples % hop:
            raise SettingsError(f"data.samples: {data.samples}: must be a multiple of {hop}")
        self.training = recordings(source, "train", folders=data.folders)
        validation = recordings(source, "validation", folders=data.folders)
        self.held_out = spread(validation, data.validation_files)
        self.networks: dict[str, nn.Module] = {}
        self._data, self._hop = data, hop
        self._clips = Clips(self.training, data.rate, data.samples, data.speeds)
        self._losses = SoundLosses(loss, data.rate, hop)

    def add_networks(
        self,
        generator: nn.Module,
        discriminator: DiscriminatorSettings | None,
        device: torch.device,
    ) -> None:
        """Put the networks on the device; discriminators only where there are settings."""
        self.networks[GENERATOR] = generator.to(device)
        if discriminator:
            network = build(published(discriminator.kind, discriminator.divisor))
            self.networks[DISCRIMINATOR] = network.to(device)
        self.device = device

    @abstractmethod
    def reconstruct(self, network: nn.Module, source: Tensor) -> tuple[Tensor, WeightedLosses]:
        """Return the sound `[batch, 1, samples]` that a generator makes of its input.

        Also the losses that only this recipe has.
        """

    def degrade(self, clean: Chunk, generator: np.random.Generator) -> Chunk:
        """Return the generator's input for a clip `[1, samples]`: the clip itself."""
        return clean

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip, and the generator's input for it."""
        clean = self._clips.draw(generator).samples
        return {"clean": clean, "input": self.degrade(clean, generator)}

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn.

        The discriminators see what the generator made in its own turn. The authors let it make
        that again, one step later.
        """
        network, clean = self.networks[turn.network], batch["clean"]
        if turn.network == DISCRIMINATOR:
            assert turn.fake is not None
            return TurnResult(discriminator_losses(network, turn.fake, clean))
        made, parts = self.reconstruct(network, batch["input"])
        parts |= self._losses.distances(made, clean)
        if DISCRIMINATOR in self.networks:
            parts |= self._losses.adversarial(self.networks[DISCRIMINATOR], made, clean)
        return TurnResult(weighted_sum(parts), made)

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the mean log-mel distance of held-out files."""
        distances = []
        for recording in self.world.share(self.held_out):
            clean, source = self.held_out_pair(recording)
            made, _ = self.reconstruct(networks[GENERATOR], source)
            distances.append(self._losses.mel_distance(made, clean).item())
        return {"mel": float(np.mean(self.world.gathered({"mel": distances})["mel"]))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out files: input, estimate, target."""
        examples = []
        for recording in self.world.share(spread(self.held_out, count)):
            clean, source = self.held_out_pair(recording)
            made, _ = self.reconstruct(networks[GENERATOR], source)
            sounds = {"input": source, "estimate": made, "target": clean}
            examples.append(example(recording.path.stem, self._data.rate, sounds))
        return examples

    def held_out_pair(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return the first channel of a file, in whole frames, and the generator's input for it.

        Both `[1, 1, samples]`, at least as long as a clip, and the same at every call.
        """
        sound = read_sound(recording, self._data.rate)[:1]
        samples = max(sound.shape[1] // self._hop * self._hop, self._data.samples)
        clean = np.pad(sound[:, :samples], [(0, 0), (0, max(0, samples - sound.shape[1]))])
        source = self.degrade(clean, np.random.default_rng(VALIDATION_SEED))
        return batch_of_one(clean, self.device), batch_of_one(source, self.device)
