"""What the trainings of AudioDec's receivers share: clips in, sound out, and how it is judged."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.data.clips import Clips, read_sound
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.journal import Example
from audiofix.trainers.losses.sound import (
    Parts,
    SoundLosses,
    SoundLossSettings,
    discriminator_losses,
    weighed,
)
from audiofix.trainers.recipe import Batch, Item, Losses
from torch import Tensor, nn

from audiofix.audio.format import Chunk
from audiofix.backends.audiodec.discriminator import Kind, build, published
from audiofix.errors import InputError, SettingsError

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
_VALIDATION_SEED = 0


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
class JudgeSettings:
    """The discriminators, where the losses want any.

    Attributes:
        kind: those of HiFi-GAN, or those of UnivNet.
        divisor: their widths are the published ones divided by it; 1, 2, 4 or 8.
    """

    kind: Kind = "hifigan"
    divisor: int = 1


class SoundRecipe(ABC):
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
        self.training = _chosen(source, "train", data.folders)
        self.held_out = spread(_chosen(source, "validation", data.folders), data.validation_files)
        self.networks: dict[str, nn.Module] = {}
        self._data, self._hop = data, hop
        self._clips = Clips(self.training, data.rate, data.samples, data.speeds)
        self._losses = SoundLosses(loss, data.rate, hop)

    def enlist(
        self, generator: nn.Module, judge: JudgeSettings | None, device: torch.device
    ) -> None:
        """Put the networks on the device; discriminators only where there are settings."""
        self.networks[GENERATOR] = generator.to(device)
        if judge:
            discriminators = build(published(judge.kind, judge.divisor))
            self.networks[DISCRIMINATOR] = discriminators.to(device)
        self.device = device

    @abstractmethod
    def decoded(self, network: nn.Module, heard: Tensor) -> tuple[Tensor, Parts]:
        """Return the sound `[batch, 1, samples]` that a generator makes of what it hears.

        Also the losses that only this recipe has.
        """

    def heard(self, clean: Chunk, generator: np.random.Generator) -> Chunk:
        """Return what the generator hears of a clip `[1, samples]`: the clip."""
        return clean

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip, and what is heard of it."""
        clean = self._clips.draw(generator).samples
        return {"clean": clean, "heard": self.heard(clean, generator)}

    def losses(self, turn: str, batch: Batch) -> Losses:
        """Return the losses of one network's turn.

        The discriminators judge what the generator made in its own turn. The authors let it make
        that again, one step later.
        """
        network, clean = self.networks[turn], batch["clean"]
        if turn == DISCRIMINATOR:
            return discriminator_losses(network, batch["made"], clean)
        made, parts = self.decoded(network, batch["heard"])
        batch["made"] = made.detach()
        parts |= self._losses.distances(made, clean)
        if DISCRIMINATOR in self.networks:
            parts |= self._losses.judged(self.networks[DISCRIMINATOR], made, clean)
        return weighed(parts)

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the mean log-mel distance of held-out files."""
        distances = []
        for recording in self.held_out:
            clean, heard = self.held_out_pair(recording)
            made, _ = self.decoded(networks[GENERATOR], heard)
            distances.append(self._losses.mel_distance(made, clean).item())
        return {"mel": float(np.mean(distances))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out files: input, estimate, target."""
        examples = []
        for recording in spread(self.held_out, count):
            clean, heard = self.held_out_pair(recording)
            made, _ = self.decoded(networks[GENERATOR], heard)
            named = {"input": heard, "estimate": made, "target": clean}
            sounds = {name: sound[0].cpu().numpy() for name, sound in named.items()}
            examples.append(Example(recording.path.stem, self._data.rate, sounds))
        return examples

    def held_out_pair(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return the first channel of a file, in whole frames, and what is heard of it.

        Both `[1, 1, samples]`, at least as long as a clip, and the same at every call.
        """
        sound = read_sound(recording, self._data.rate)[:1]
        samples = max(sound.shape[1] // self._hop * self._hop, self._data.samples)
        clean = np.pad(sound[:, :samples], [(0, 0), (0, max(0, samples - sound.shape[1]))])
        heard = self.heard(clean, np.random.default_rng(_VALIDATION_SEED))
        pair = (torch.from_numpy(one)[None].to(self.device) for one in (clean, heard))
        return next(pair), next(pair)


def _chosen(source: Path, split: str, folders: tuple[str, ...]) -> list[Recording]:
    found = recordings(source, split)
    chosen = [one for one in found if not folders or one.path.parent.name in folders]
    if not chosen:
        raise InputError(f"{source}: no recording of split {split} is in data.folders: name others")
    return chosen
