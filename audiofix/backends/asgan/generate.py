"""ASGAN opened for `generate`: latents to sound (specification, section 2)."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from audiofix.audio.format import Chunk
from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.inversion import invert
from audiofix.backends.asgan.latents import draw, mixed, one_by_one, per_style, truncated
from audiofix.backends.asgan.network import Generator
from audiofix.backends.asgan.phases import from_mel
from audiofix.backends.asgan.released import GENERATOR_PREFIX, VOCODER_PREFIX
from audiofix.backends.asgan.vocoder import Vocoder, vocoder_config
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import GenerateRequest, Latents
from audiofix.backends.weights import Checkpoint, fill_module
from audiofix.errors import CheckpointError, UsageError
from audiofix.nn.weight_norm import fold_weight_norm

_SAMPLES = 16000
"""Of a recording: shorter sound gets zeros around it."""

_MEAN_DRAWS, _MEAN_SEED = 10_000, 0


def open(checkpoint: Checkpoint, placement: Placement) -> "ASGAN":
    """Open an ASGAN checkpoint.

    Raises:
        CheckpointError: its settings are incomplete, or the tensors do not fit the networks.
    """
    config = checkpoint.config
    generator = Generator(GeneratorConfig.from_mapping(_table(checkpoint, "generator")))
    fill_module(generator, _part(checkpoint, GENERATOR_PREFIX), checkpoint.name)
    vocoder, mel = None, None
    if "mel" in config:
        mel = MelConfig.from_mapping(_table(checkpoint, "mel"))
    if "vocoder" in config:
        vocoder = Vocoder(vocoder_config(_table(checkpoint, "vocoder")))
        tensors = _part(checkpoint, VOCODER_PREFIX)
        if not any(name.endswith("weight_g") for name in tensors):
            fold_weight_norm(vocoder)
        fill_module(vocoder, tensors, checkpoint.name)
        fold_weight_norm(vocoder)
    elif mel is None:
        raise CheckpointError(f"{checkpoint.name}: has neither a vocoder nor a mel spectrum")
    rate = cast(int, config.get("rate", mel.rate if mel else 16000))
    return ASGAN(checkpoint.name, rate, generator, vocoder, mel, placement)


class ASGAN:
    """A loaded ASGAN: a generator, and what makes sound of its features."""

    def __init__(
        self,
        name: str,
        rate: int,
        generator: Generator,
        vocoder: Vocoder | None,
        mel: MelConfig | None,
        placement: Placement,
        *,
        samples: int = _SAMPLES,
    ) -> None:
        """Take networks over, in eval mode.

        Args:
            name: of the checkpoint.
            rate: samples per second of the sound.
            generator: makes features.
            vocoder: makes sound of them; None finds phases for the mel spectrum instead.
            mel: the features' definition, if they are a mel spectrum.
            placement: where to compute.
            samples: of a recording, at least.
        """
        self.name, self.rate, self.mel = name, rate, mel
        self.generator = generator.eval().requires_grad_(False).to(placement.device)
        self.vocoder = vocoder and vocoder.eval().requires_grad_(False).to(placement.device)
        self._placement, self._samples = placement, samples

    @property
    def styles(self) -> int:
        """Latents that one recording takes: the input's, one a layer, the head's."""
        return self.generator.config.styles

    def latents(self, request: GenerateRequest) -> Latents:
        """Return what `samples` makes sound of, one row a recording; loading them repeats it.

        They are Gaussian vectors as long as nothing but a draw was asked for, else latents.

        Raises:
            UsageError: the request's latents do not fit the model.
        """
        plain = request.truncation == 1 and request.mix is None
        parts = [
            one if plain else self._edited(one, request, number)
            for number, one in enumerate(self._given(request))
        ]
        return Latents(parts[0].kind, np.concatenate([part.values for part in parts]))

    def samples(self, request: GenerateRequest) -> Iterator[Chunk]:
        """Yield one recording `[1, samples]` after the other, in memory that does not grow.

        Raises:
            UsageError: the request's latents do not fit the model.
        """
        for number, one in enumerate(self._given(request)):
            yield self.synthesise(self._edited(one, request, number).values)

    def drawn(self, count: int, seed: int) -> Latents:
        """Return the Gaussian vectors that recordings of this seed are made of."""
        return Latents("z", draw(count, seed, self.generator.config.z_dim).numpy())

    def match(
        self, sound: Chunk, steps: int, progress: Callable[[int], None] | None = None
    ) -> Latents:
        """Return the latents, one for each layer, whose sound comes nearest to a recording.

        Args:
            sound: `[1, samples]` at the model's rate; its beginning is matched, as long as the
                model's own recordings are.
            steps: of the descent.
            progress: is told the steps done.

        Raises:
            UsageError: the model's features are no mel spectrum.
        """
        if self.mel is None:
            raise UsageError(f"--match: {self.name} makes no mel spectra: choose a mel model")
        samples = self.generator.config.frames * self.mel.hop
        start = max(0, self._samples - samples) // 2
        wanted = torch.zeros(1, samples)
        own = torch.from_numpy(sound[:, start : start + samples])
        wanted[:, : own.shape[1]] = own
        features = self.mel.analyse(wanted.to(self._placement.device))
        mean = self._tensor(self.mean_latent)
        w = invert(self.generator, features, mean, steps, progress)
        return Latents("w", w.cpu().numpy())

    def map(self, z: Chunk) -> Chunk:
        """Return latents `[recordings, w_dim]` of Gaussian vectors `[recordings, z_dim]`.

        Raises:
            UsageError: the vectors have another length.
        """
        self._check(Latents("z", np.asarray(z, np.float32)))
        with torch.inference_mode(), self._placement.autocast():
            w = self.generator.map(self._tensor(z))
        return cast(Chunk, w.float().cpu().numpy())

    def synthesise(self, w: Chunk) -> Chunk:
        """Return sound `[recordings, samples]` of latents, within about ±1.

        Args:
            w: `[recordings, w_dim]`, or `[recordings, styles, w_dim]`.

        Raises:
            UsageError: the latents have another shape.
        """
        self._check(Latents("w", np.asarray(w, np.float32)))
        with torch.inference_mode(), self._placement.autocast():
            sound = self.sound_of(self.generator.synthesise(self._tensor(w)).float())
        return cast(Chunk, sound.float().cpu().numpy())

    def sound_of(self, features: Tensor) -> Tensor:
        """Return sound `[recordings, samples]` of features `[recordings, frames, c_dim]`."""
        if self.vocoder is not None:
            sound = self.vocoder.decode(features)
        else:
            assert self.mel is not None
            sound = from_mel(features, self.mel)
        missing = max(0, self._samples - sound.shape[1])
        return pad(sound, (missing // 2, missing - missing // 2))

    @cached_property
    def mean_latent(self) -> Chunk:
        """The mean of many latents, `[w_dim]`: what truncation moves towards."""
        return cast(Chunk, self.map(draw_many(self.generator.config.z_dim)).mean(0))

    def _given(self, request: GenerateRequest) -> Iterator[Latents]:
        if request.latents is not None:
            self._check(request.latents)
        if request.mix is not None:
            self._check(request.mix.latents)
        return one_by_one(request, self.generator.config.z_dim)

    def _edited(self, one: Latents, request: GenerateRequest, number: int) -> Latents:
        """Return latents `w` of one recording, truncated and mixed."""
        w = torch.from_numpy(self._mapped(one))
        if request.truncation != 1:
            w = truncated(w, torch.from_numpy(self.mean_latent), request.truncation)
        if request.mix:
            others = torch.from_numpy(self._mapped(request.mix.latents))
            others = per_style(others[number % len(others)][None], self.styles)
            w = mixed(per_style(w, self.styles), others, request.mix.first, request.mix.last)
        return Latents("w", w.numpy())

    def _mapped(self, latents: Latents) -> Chunk:
        return self.map(latents.values) if latents.kind == "z" else latents.values

    def _tensor(self, values: Chunk) -> Tensor:
        array = np.ascontiguousarray(values, np.float32)
        return torch.from_numpy(array).to(self._placement.device)

    def _check(self, latents: Latents) -> None:
        config, shape = self.generator.config, latents.values.shape
        allowed = [(config.z_dim,)] if latents.kind == "z" else [
            (config.w_dim,), (self.styles, config.w_dim)
        ]  # fmt: skip
        if shape[1:] not in allowed or not len(latents):
            wanted = " or ".join(str(["recordings", *one]).replace("'", "") for one in allowed)
            raise UsageError(
                f"latents {latents.kind} of shape {list(shape)}: {self.name} wants {wanted}: "
                "use latents saved by the same model"
            )


def draw_many(size: int) -> Chunk:
    """Return the Gaussian vectors whose latents' mean truncation moves towards."""
    return cast(Chunk, draw(_MEAN_DRAWS, _MEAN_SEED, size, batch_draw=True).numpy())


def _table(checkpoint: Checkpoint, name: str) -> Mapping[str, object]:
    table = checkpoint.config.get(name)
    if not isinstance(table, Mapping):
        raise CheckpointError(f"{checkpoint.name}: its settings lack the table {name}")
    return table


def _part(checkpoint: Checkpoint, prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint.tensors.items()
        if name.startswith(prefix)
    }
