"""The last stage of a run, in which only the mapping network learns.

Between the latents of two voices that say one word, or of two words, lies nothing that anyone would
say. So here every word in every voice has latents of its own, drawn in towards their mean, and a
Gaussian vector chooses both: the largest of its first numbers the word, of the next ones the voice.
The rate is high, for what a vector chooses must change within little.
"""

from math import prod

import torch
from audiofix.trainers.losses.energy import energy_distance
from audiofix.trainers.recipes.asgan.labelled_vectors import vectors_of_every_choice
from torch import Tensor

from audiofix.backends.asgan.network import Generator
from audiofix.errors import InputError


class MappingStage:
    """What the mapping network learns from, and its loss."""

    def __init__(
        self, latents: Tensor, choices: Tensor, sizes: tuple[int, ...], truncation: float
    ) -> None:
        """Sort the latents by what they are chosen by.

        Args:
            latents: of all words, `[words, w_dim]`.
            choices: `[words]`: the number of a word's label and voice; the voice changes fastest.
            sizes: how many labels there are, and how many voices, where they count.
            truncation: factor of the latents' distance from the mean of their choice.

        Raises:
            InputError: a word is never said by one of the voices.
        """
        self._sizes = sizes
        self._latents = []
        for choice in range(prod(sizes)):
            own = latents[choices == choice]
            if not len(own):
                raise InputError(
                    f"word and voice {choice}: no recording: change data.words or data.voices"
                )
            self._latents.append(own.mean(0).lerp(own, truncation))

    def loss(self, generator: Generator, count: int) -> Tensor:
        """Return the energy distance of `count` latents of each choice, a mean over choices."""
        z_dim, device = generator.config.z_dim, self._latents[0].device
        z = vectors_of_every_choice(self._sizes, count, z_dim, device)
        wanted = [own[torch.randint(len(own), (count,))] for own in self._latents]
        return energy_distance(generator.map(z), torch.stack(wanted))
