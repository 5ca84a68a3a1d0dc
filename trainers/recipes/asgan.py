"""How ASGAN is trained (Baas and Kamper, SLT 2022; specification, section 6).

As published: discriminator and generator take turns at batches; updates are skipped and features
augmented with a probability that follows the discriminator's overfitting. For little data and few
steps, labels and a recognition network help; see `LossSettings`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audiofix.trainers.adaptive_augmentation import AdaptiveAugmentation
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.corpora import spread
from audiofix.trainers.data.word_features import WordFeatures, WordSettings
from audiofix.trainers.data.words import words
from audiofix.trainers.discriminators.labelled import (
    LabelledDiscriminator,
    labels_in,
    with_labels,
)
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.adversarial import logistic_discriminator, logistic_generator
from audiofix.trainers.losses.gradient_penalty import r1_penalty
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.recognition import Recognition, divergence, drawn, moment_distance
from audiofix.trainers.run_log import Example
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from audiofix.backends.asgan.config import DiscriminatorConfig, GeneratorConfig
from audiofix.backends.asgan.discriminator import Discriminator
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.network import NORM_DECAY, Generator
from audiofix.backends.asgan.phases import from_mel
from audiofix.backends.asgan.released import GENERATOR_PREFIX, VOCODER_PREFIX
from audiofix.backends.systems import load_checkpoint
from audiofix.errors import SettingsError
from audiofix.metrics.generation import frechet_distance

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
_VALIDATION_WORDS = 256
_VALIDATION_SEED = 0
_CALIBRATION_WORDS = 64


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses.

    Attributes:
        r1: gamma of the penalty on the discriminator's gradient.
        r1_every: steps from one penalty to the next.
        labelled: let the discriminator know the word; the largest of a Gaussian vector's first
            numbers then says which word it stands for.
        adversarial_from: step at which the discriminator begins to take part.
        reconstruction: distance of words that went through the recognition network; 0 for none.
        divergence: of that network's Gaussians.
        moments: of that network's vectors in a batch.
        excess: of generated features beyond `highest`.
        highest: largest size that a feature should have.
    """

    r1: float = 0.1
    r1_every: int = 8
    labelled: bool = False
    adversarial_from: int = 0
    reconstruction: float = 0.0
    divergence: float = 0.01
    moments: float = 0.5
    excess: float = 0.0
    highest: float = 2.0


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """Augmentation of features, and skipping of the discriminator's updates.

    Attributes:
        probability: at the start; 0 turns both off for good.
        noise: see `AdaptiveAugmentation`.
    """

    probability: float = 0.2
    noise: float = 0.05


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        recognition: convolutions of the recognition network.
        alternate: whether a batch is one network's turn (published), or every network's.
        norm_decay: of the levels that the generator's layers are normalised by.
        vocoder: checkpoint whose vocoder is exported with the generator; empty for none.
        half: whether checkpoints hold float16.
    """

    name: str = "asgan"
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    recognition: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    mel: MelConfig = field(default_factory=MelConfig)
    data: WordSettings = field(default_factory=WordSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    alternate: bool = True
    norm_decay: float = NORM_DECAY
    vocoder: str = ""
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            SettingsError: names the setting.
        """
        frames, bands = self.generator.frames, self.generator.c_dim
        pairs = {
            "discriminator.seq_len": (self.discriminator.seq_len, frames),
            "discriminator.c_dim": (self.discriminator.c_dim, bands),
        }
        if self.data.features == "mel":
            pairs["mel.bands"] = self.mel.bands, bands
        for name, (own, wanted) in pairs.items():
            if own != wanted:
                raise SettingsError(f"{name}: {own}: must be the generator's, {wanted}")
        if self.loss.labelled and not 0 < len(self.data.words) < self.generator.z_dim:
            raise SettingsError("loss.labelled: needs data.words, fewer than generator.z_dim")
        if self.loss.reconstruction and not self.loss.labelled:
            raise SettingsError("loss.reconstruction: needs loss.labelled = true")


class LearningGenerator(nn.Module):
    """The generator, and the recognition network that learns with it where there is one."""

    def __init__(self, generator: Generator, recognition: Recognition | None) -> None:
        """Hold both."""
        super().__init__()
        self.generator = generator
        self.recognition = recognition


class ASGANRecipe(Recipe):
    """`trainers.recipe.Recipe` for ASGAN."""

    monitor = "frechet"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the words.

        Raises:
            InputError: there are no words, or they are of the wrong kind.
        """
        self.settings, self.device = settings, device
        self._loss, self._labels = settings.loss, len(settings.data.words)
        self.training = words(source, "train", settings.data.words)
        self.held_out = words(source, "validation", settings.data.words)
        self._training, self._held_out = (
            WordFeatures(found, settings.data, settings.mel, settings.generator.frames)
            for found in (self.training, self.held_out)
        )
        augmentation = settings.augmentation
        self._augmentation = AdaptiveAugmentation(augmentation.probability, augmentation.noise)
        body = Discriminator(settings.discriminator)
        labelled = self._loss.labelled
        discriminator = LabelledDiscriminator(body, self._labels) if labelled else body
        self.networks: dict[str, nn.Module] = {
            DISCRIMINATOR: discriminator.to(device),
            GENERATOR: self._generator().to(device),
        }

    def _generator(self) -> LearningGenerator:
        """Return a generator whose layers begin with the levels of their own inputs."""
        config = self.settings.generator
        generator = Generator(config)
        with torch.no_grad():
            z = torch.randn(_CALIBRATION_WORDS, config.z_dim)
            generator.synthesise(generator.map(z), norm_decay=0.0)
        recognition = None
        if self._loss.reconstruction:
            size = config.z_dim - self._labels
            recognition = Recognition(self.settings.recognition, self._labels, size)
        return LearningGenerator(generator, recognition)

    def item(self, generator: np.random.Generator) -> Item:
        """Return one word and its label."""
        features, label = self._training.draw(generator)
        return {"features": features, "label": np.asarray(label)}

    def turns(self, step: int, generator: np.random.Generator) -> Sequence[str]:
        """Return whose turn it is; the discriminator may leave its own to the generator."""
        if step < self._loss.adversarial_from:
            return [GENERATOR]
        if not self.settings.alternate:
            return [DISCRIMINATOR, GENERATOR]
        skipped = self._augmented and self._augmentation.skips_update(step, generator.random())
        return [DISCRIMINATOR] if step % 2 == 0 and not skipped else [GENERATOR]

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn."""
        if turn.network == DISCRIMINATOR:
            return TurnResult(self._discriminator_losses(turn.step, batch))
        return TurnResult(self._generator_losses(turn.step, batch))

    def _discriminator_losses(self, step: int, batch: Batch) -> dict[str, Tensor]:
        real, label = batch["features"], batch["label"]
        with torch.no_grad():
            z = self._gaussian(len(real))
            fake = self._made(z)
        real, fake = self._augment(real, fake)
        penalised = step > 0 and step % self._loss.r1_every == 0
        real = real.detach().requires_grad_(penalised)
        scores = self._score(real, label)
        loss = logistic_discriminator(scores, self._score(fake, self._label(z)))
        losses = {TOTAL: loss, "sign": scores.detach().sign().mean()}
        if penalised:
            losses["r1"] = r1_penalty(scores, real)
            losses[TOTAL] = loss + self._loss.r1 / 2 * losses["r1"]
        return losses

    def _generator_losses(self, step: int, batch: Batch) -> dict[str, Tensor]:
        real, label = batch["features"], batch["label"]
        learning = self.networks[GENERATOR]
        assert isinstance(learning, LearningGenerator)
        z, parts = self._gaussian(len(real)), WeightedLosses()
        if learning.recognition is not None:
            mean, log_variance = learning.recognition(real, label)
            own = drawn(mean, log_variance)
            parts["divergence"] = self._loss.divergence, divergence(mean, log_variance)
            parts["moments"] = self._loss.moments, moment_distance(own)
            named = with_labels(z[:, : self._labels], label, self._labels)
            z = torch.cat([torch.cat([named, own], dim=1), self._gaussian(len(real))])
        made = self._made(z, learn=True)
        if learning.recognition is not None:
            reconstructed, made = made.chunk(2)
            parts["reconstruction"] = self._loss.reconstruction, l1_loss(reconstructed, real)
        if self._loss.excess:
            excess = (made.abs() - self._loss.highest).relu().mean()
            parts["excess"] = self._loss.excess, excess
        if step >= self._loss.adversarial_from:
            _, made = self._augment(real, made)
            scores = self._score(made, self._label(z[-len(real) :]))
            parts["adversarial"] = 1.0, logistic_generator(scores)
        return dict(weighted_sum(parts))

    def adapt(self, step: int, figures: Mapping[str, float]) -> None:
        """Adapt the probability of augmentation to the discriminator's last update."""
        sign = figures.get(f"{DISCRIMINATOR}.sign")
        if sign is not None and self._augmented:
            self._augmentation.observe(sign)

    def state_dict(self) -> dict[str, Any]:
        """Return the augmentation's state."""
        return self._augmentation.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the augmentation's state back."""
        self._augmentation.load_state_dict(state)

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the Fréchet distance between the frames of held-out and of generated words."""
        draw = np.random.default_rng(_VALIDATION_SEED)
        held_out = spread(self.held_out, _VALIDATION_WORDS)
        real = np.concatenate([self._held_out.features(one, draw) for one in held_out])
        made = self._examples(networks, _VALIDATION_WORDS).flatten(0, 1).cpu().numpy()
        return {"frechet": frechet_distance(real, made)}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return generated words, as sound where features are mel spectra."""
        if self.settings.data.features != "mel":
            return []
        sound = from_mel(self._examples(networks, count), self.settings.mel).cpu().numpy()
        examples = [
            Example(f"word-{number}", self.settings.mel.rate, {"generated": one[None]})
            for number, one in enumerate(sound)
        ]
        return self.world.share(examples)

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the generator, and its vocoder, as a checkpoint for `generate --model`."""
        settings = self.settings
        config: dict[str, Any] = {"generator": asdict(settings.generator), "rate": 16000}
        learning = networks[GENERATOR]
        assert isinstance(learning, LearningGenerator)
        state = learning.generator.state_dict()
        tensors = {GENERATOR_PREFIX + name: tensor for name, tensor in state.items()}
        if settings.data.features == "mel":
            config |= {"mel": asdict(settings.mel), "rate": settings.mel.rate}
        if settings.vocoder:
            vocoder = load_checkpoint(settings.vocoder)
            config["vocoder"] = vocoder.config["vocoder"]
            tensors |= {n: t for n, t in vocoder.tensors.items() if n.startswith(VOCODER_PREFIX)}
        export(
            path,
            name=settings.name,
            system="asgan",
            config=config,
            tensors=tensors,
            half=settings.half,
        )

    @property
    def _augmented(self) -> bool:
        return self.settings.augmentation.probability > 0

    def _augment(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self._augmentation.apply(real, fake) if self._augmented else (real, fake)

    def _gaussian(self, count: int) -> Tensor:
        return torch.randn(count, self.settings.generator.z_dim, device=self.device)

    def _label(self, z: Tensor) -> Tensor:
        return labels_in(z, self._labels) if self._loss.labelled else z[:, 0].long()

    def _score(self, features: Tensor, label: Tensor) -> Tensor:
        network = self.networks[DISCRIMINATOR]
        scores: Tensor = network(features, label) if self._loss.labelled else network(features)
        return scores

    def _made(self, z: Tensor, *, learn: bool = False) -> Tensor:
        learning = self.networks[GENERATOR]
        assert isinstance(learning, LearningGenerator)
        w = learning.generator.map(z)
        decay = self.settings.norm_decay if learn else None
        return learning.generator.synthesise(w, norm_decay=decay)

    def _examples(self, networks: Mapping[str, nn.Module], count: int) -> Tensor:
        learning = networks[GENERATOR]
        assert isinstance(learning, LearningGenerator)
        draw = torch.Generator().manual_seed(_VALIDATION_SEED)
        z = torch.randn(count, self.settings.generator.z_dim, generator=draw)
        made: Tensor = learning.generator(z.to(self.device))
        return made
