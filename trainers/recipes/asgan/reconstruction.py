"""How ASGAN's generator learns from little data: by reconstructing words, beside making new ones.

A recognition network finds the latent of a word, from which the generator makes the word again, as
in a variational autoencoder. The mapping network learns to draw such latents: it minimises the
energy distance of its own from the last words', label by label (as generative moment matching
networks in the codes of an autoencoder; Li et al., 2015). Distances of features alone leave words
without formants that move, and draws between two words unlike either; so both kinds of words must
also be clear to a classifier.
"""

import torch
from audiofix.trainers.losses.energy import energy_distance
from audiofix.trainers.losses.weighted import WeightedLosses
from audiofix.trainers.recipes.asgan.feature_classifier import (
    FeatureClassifier,
    disturbed,
    unclearness,
)
from audiofix.trainers.recipes.asgan.labelled_vectors import labels_in, vectors_of_every_label
from audiofix.trainers.recipes.asgan.latent_memory import LatentMemory
from audiofix.trainers.recipes.asgan.recognition import Recognition, divergence, drawn
from audiofix.trainers.recipes.asgan.settings import Settings
from torch import Tensor, nn
from torch.nn.functional import l1_loss, pad

from audiofix.backends.asgan.network import Generator

_LATENT_LEVEL = 0.2
"""About that of a fresh mapping network. Large latents turn the input waves wildly."""

_NEW_SHARE = 2
"""One new word for so many that are reconstructed."""


class LearningGenerator(nn.Module):
    """The generator, and the recognition network that learns with it where there is one."""

    def __init__(self, generator: Generator, recognition: Recognition | None) -> None:
        """Hold both."""
        super().__init__()
        self.generator = generator
        self.recognition = recognition


class Reconstruction:
    """The losses of one generator, and the latents that its mapping network learns from."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        """Begin with no latents."""
        self.settings, self.device = settings, device
        self.labels = len(settings.data.words)
        w_dim = settings.generator.w_dim
        self.memory = LatentMemory(self.labels, settings.latents, w_dim, device)

    def losses(
        self,
        learning: LearningGenerator,
        classifier: FeatureClassifier | None,
        real: Tensor,
        labels: Tensor,
    ) -> WeightedLosses:
        """Return the losses of recognition, generator and mapping network.

        Args:
            learning: what learns.
            classifier: does not learn here; None where classification has no weight.
            real: features `[batch, frames, bands]`.
            labels: `[batch]`, whole numbers.
        """
        weights, generator = self.settings.loss, learning.generator
        assert learning.recognition is not None
        mean, log_variance = learning.recognition(real)
        z = self._gaussian(-(-len(real) // _NEW_SHARE))
        w = torch.cat([self._latents(drawn(mean, log_variance)), generator.map(z)])
        made = generator.synthesise(w, norm_decay=self.settings.norm_decay)
        again = made[: len(real)]
        parts: WeightedLosses = {
            "reconstruction": (weights.reconstruction, l1_loss(again, real)),
            "slopes": (weights.slopes, slope_distance(again, real)),
            "divergence": (weights.divergence, divergence(mean, log_variance)),
        }
        if classifier is not None:
            wanted = torch.cat([labels, labels_in(z, self.labels)])
            unclear = unclearness(classifier(disturbed(made)), wanted)
            parts["classification"] = weights.classification, unclear
        self.memory.keep(self._latents(mean), labels)
        if self.memory.is_full:
            parts["mapping"] = weights.mapping, self._mapping_loss(generator)
        return parts

    @torch.no_grad()
    def latents_of(self, learning: LearningGenerator, real: Tensor) -> Tensor:
        """Return the latents `[batch, w_dim]` of words, features `[batch, frames, bands]`."""
        assert learning.recognition is not None
        return self._latents(learning.recognition(real)[0])

    def _mapping_loss(self, generator: Generator) -> Tensor:
        size, count = self.settings.generator.z_dim, self.settings.latents // 2
        z = vectors_of_every_label(self.labels, count, size, self.device)
        return energy_distance(generator.map(z), self.memory.draw(count))

    def _gaussian(self, count: int) -> Tensor:
        return torch.randn(count, self.settings.generator.z_dim, device=self.device)

    def _latents(self, found: Tensor) -> Tensor:
        """Return latents `[batch, w_dim]` of what recognition found."""
        return pad(_LATENT_LEVEL * found, (0, self.settings.generator.w_dim - found.shape[1]))


def slope_distance(made: Tensor, real: Tensor) -> Tensor:
    """Return the mean distance of differences in time and in frequency, `[batch, frames, bands]`.

    Formants and onsets are where features change; plain distance hardly asks for them.
    """
    return l1_loss(made.diff(dim=1), real.diff(dim=1)) + l1_loss(made.diff(), real.diff())
