"""How ASGAN is trained (Baas and Kamper, SLT 2022; specification, section 6).

As published: discriminator and generator take turns at batches; updates are skipped and features
augmented with a probability that follows the discriminator's overfitting.

Little data and few steps are not enough for that: see `reconstruction`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.corpora import spread
from audiofix.trainers.data.words import words
from audiofix.trainers.losses.adversarial import logistic_discriminator, logistic_generator
from audiofix.trainers.losses.gradient_penalty import r1_penalty
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.recipe import TOTAL, Batch, Item, Losses, Recipe, Turn, TurnResult
from audiofix.trainers.recipes.asgan.adaptive_augmentation import AdaptiveAugmentation
from audiofix.trainers.recipes.asgan.feature_classifier import (
    FeatureClassifier,
    disturbed,
    unclearness,
)
from audiofix.trainers.recipes.asgan.mapping_stage import MappingStage
from audiofix.trainers.recipes.asgan.recognition import Recognition
from audiofix.trainers.recipes.asgan.reconstruction import LearningGenerator, Reconstruction
from audiofix.trainers.recipes.asgan.settings import Settings
from audiofix.trainers.recipes.asgan.word_features import WordFeatures
from audiofix.trainers.run_log import Example
from torch import Tensor, nn

from audiofix.backends.asgan.discriminator import Discriminator
from audiofix.backends.asgan.network import Generator
from audiofix.backends.asgan.phases import from_mel
from audiofix.backends.asgan.released import GENERATOR_PREFIX, VOCODER_PREFIX
from audiofix.backends.systems import load_checkpoint
from audiofix.metrics.generation import frechet_distance

GENERATOR, DISCRIMINATOR, CLASSIFIER = "generator", "discriminator", "classifier"
MAPPING = "mapping"
_VALIDATION_WORDS = 256
_VALIDATION_SEED = 0
_CALIBRATION_WORDS = 256


class ASGANRecipe(Recipe):
    """`trainers.recipe.Recipe` for ASGAN."""

    monitor = "frechet"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the words.

        Raises:
            InputError: there are no words, or they are of the wrong kind.
        """
        self.settings, self.device = settings, device
        self._loss = settings.loss
        self.training = words(source, "train", settings.data.words)
        self.held_out = words(source, "validation", settings.data.words)
        self._training, self._held_out = (
            WordFeatures(found, settings.data, settings.mel, settings.generator.frames)
            for found in (self.training, self.held_out)
        )
        augmentation = settings.augmentation
        self._augmentation = AdaptiveAugmentation(augmentation.probability, augmentation.noise)
        self._reconstruction: Reconstruction | None = None
        if self._loss.reconstruction:
            self._reconstruction = Reconstruction(settings, device)
        self._mapping_stage: MappingStage | None = None
        self.networks: dict[str, nn.Module] = {}
        if self._loss.adversarial:
            self.networks[DISCRIMINATOR] = Discriminator(settings.discriminator).to(device)
        if self._loss.classification:
            shape = len(settings.data.words), settings.generator.frames, settings.generator.c_dim
            self.networks[CLASSIFIER] = FeatureClassifier(*shape, settings.classifier).to(device)
        learning = self._generator().to(device)
        if settings.mapping_stage.begins:
            self.networks[MAPPING] = learning.generator.W
        self.networks[GENERATOR] = learning

    def _generator(self) -> LearningGenerator:
        """Return a generator whose layers begin with the levels of their own inputs."""
        config = self.settings.generator
        generator = Generator(config)
        with torch.no_grad():
            z = torch.randn(_CALIBRATION_WORDS, config.z_dim)
            generator.synthesise(generator.map(z), norm_decay=0.0)
        recognition = None
        if self._loss.reconstruction:
            recognition = Recognition(self.settings.recognition, self.settings.recognised)
        return LearningGenerator(generator, recognition)

    def item(self, generator: np.random.Generator) -> Item:
        """Return one word and its label."""
        features, label = self._training.draw(generator)
        return {"features": features, "label": np.asarray(label)}

    def turns(self, step: int, generator: np.random.Generator) -> Sequence[str]:
        """Return whose turn it is; the discriminator may leave its own to the generator."""
        if MAPPING in self.networks and step >= self.settings.mapping_stage.begins:
            return [MAPPING]
        if not self._loss.adversarial:
            return [name for name in self.networks if name != MAPPING]
        skipped = self._augmented and self._augmentation.skips_update(step, generator.random())
        return [DISCRIMINATOR] if step % 2 == 0 and not skipped else [GENERATOR]

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the losses of one network's turn."""
        if turn.network == DISCRIMINATOR:
            return TurnResult(self._discriminator_losses(turn.step, batch["features"]))
        if turn.network == MAPPING:
            return TurnResult({TOTAL: self._mapping_loss()})
        if turn.network == CLASSIFIER:
            logits = self.networks[CLASSIFIER](disturbed(batch["features"]))
            return TurnResult({TOTAL: unclearness(logits, batch["label"])})
        parts = WeightedLosses()
        if self._loss.adversarial:
            parts |= self._adversarial_loss(batch["features"])
        if self._reconstruction:
            parts |= self._reconstruction.losses(
                self._learning(self.networks), self._classifier, batch["features"], batch["label"]
            )
        return TurnResult(weighted_sum(parts))

    def _discriminator_losses(self, step: int, real: Tensor) -> Losses:
        network = self.networks[DISCRIMINATOR]
        with torch.no_grad():
            real, fake = self._augment(real, self._made(self._gaussian(len(real))))
        penalised = step > 0 and step % self._loss.r1_every == 0
        real = real.detach().requires_grad_(penalised)
        scores = network(real)
        parts: WeightedLosses = {"logistic": (1.0, logistic_discriminator(scores, network(fake)))}
        if penalised:
            parts["r1"] = self._loss.r1 / 2, r1_penalty(scores, real)
        return {**weighted_sum(parts), "sign": scores.detach().sign().mean()}

    def _adversarial_loss(self, real: Tensor) -> WeightedLosses:
        made = self._made(self._gaussian(len(real)), learn=True)
        _, made = self._augment(real, made)
        scores = self.networks[DISCRIMINATOR](made)
        return {"adversarial": (self._loss.adversarial, logistic_generator(scores))}

    def _mapping_loss(self) -> Tensor:
        """Return the loss of the mapping network's own stage."""
        own, learning = self.settings.mapping_stage, self._learning(self.networks)
        if self._mapping_stage is None:  # all else stays as it is now, so once is enough
            self._mapping_stage = self._begun_mapping_stage(learning)
        # It is a part of the generator, which must not learn now, and was told so last.
        self.networks[MAPPING].requires_grad_(True)
        return self._mapping_stage.loss(learning.generator, own.vectors)

    @torch.no_grad()
    def _begun_mapping_stage(self, learning: LearningGenerator) -> MappingStage:
        assert self._reconstruction
        data, draw = self.settings.data, np.random.default_rng(self.settings.loop.seed)
        voices = max(1, len(data.voices))
        latents, choices = [], []
        for one in self.training:
            features = torch.from_numpy(self._training.features(one, draw)).to(self.device)
            latents.append(self._reconstruction.latents_of(learning, features[None]))
            choices.append(self._training.label(one) * voices + self._training.voice(one))
        sizes = (len(data.words), voices) if data.voices else (len(data.words),)
        truncation = self.settings.mapping_stage.truncation
        return MappingStage(
            torch.cat(latents), torch.tensor(choices, device=self.device), sizes, truncation
        )

    def adapt(self, step: int, figures: Mapping[str, float]) -> None:
        """Adapt the probability of augmentation to the discriminator's last update."""
        sign = figures.get(f"{DISCRIMINATOR}.sign")
        if sign is not None and self._augmented:
            self._augmentation.observe(sign)

    def state_dict(self) -> dict[str, Any]:
        """Return the augmentation's state, and the remembered latents."""
        return {
            "augmentation": self._augmentation.state_dict(),
            "memory": self._reconstruction.memory.state_dict() if self._reconstruction else {},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._augmentation.load_state_dict(state["augmentation"])
        if self._reconstruction:
            self._reconstruction.memory.load_state_dict(state["memory"])

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the Fréchet distance between the frames of held-out and of generated words."""
        draw = np.random.default_rng(_VALIDATION_SEED)
        self._level(networks)
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
        self._level(networks)
        settings = self.settings
        config: dict[str, Any] = {"generator": asdict(settings.generator), "rate": 16000}
        state = self._learning(networks).generator.state_dict()
        tensors = {GENERATOR_PREFIX + name: tensor for name, tensor in state.items()}
        if settings.data.features == "mel":
            config |= {"mel": asdict(settings.mel), "rate": settings.mel.rate}
        if settings.vocoder:
            vocoder = load_checkpoint(settings.vocoder)
            config["vocoder"] = vocoder.config["vocoder"]
            tensors |= {n: t for n, t in vocoder.tensors.items() if n.startswith(VOCODER_PREFIX)}
        export(path, settings, "asgan", config, tensors)

    def _level(self, networks: Mapping[str, nn.Module]) -> None:
        """Give a generator's layers the levels of their own inputs.

        Averaged weights have others than the weights that they are the average of, whose levels
        they are given after every step; at high learning rates that spoils what they make.
        """
        if self._reconstruction:
            with torch.no_grad():
                self._examples(networks, _CALIBRATION_WORDS, norm_decay=0.0)

    @property
    def _augmented(self) -> bool:
        return self.settings.augmentation.probability > 0

    def _augment(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self._augmentation.apply(real, fake) if self._augmented else (real, fake)

    def _gaussian(self, count: int) -> Tensor:
        return torch.randn(count, self.settings.generator.z_dim, device=self.device)

    def _made(self, z: Tensor, *, learn: bool = False) -> Tensor:
        generator = self._learning(self.networks).generator
        decay = self.settings.norm_decay if learn else None
        return generator.synthesise(generator.map(z), norm_decay=decay)

    def _examples(
        self, networks: Mapping[str, nn.Module], count: int, norm_decay: float | None = None
    ) -> Tensor:
        """Return features `[count, frames, bands]`, the same ones always."""
        draw = torch.Generator().manual_seed(_VALIDATION_SEED)
        z = torch.randn(count, self.settings.generator.z_dim, generator=draw).to(self.device)
        generator = self._learning(networks).generator
        return generator.synthesise(generator.map(z), norm_decay=norm_decay)

    @property
    def _classifier(self) -> FeatureClassifier | None:
        found = self.networks.get(CLASSIFIER)
        assert found is None or isinstance(found, FeatureClassifier)
        return found

    @staticmethod
    def _learning(networks: Mapping[str, nn.Module]) -> LearningGenerator:
        learning = networks[GENERATOR]
        assert isinstance(learning, LearningGenerator)
        return learning
