"""How the codec of spectra is trained: codebooks by k-means, then the decoder's magnitudes.

The encoder is fixed, so clips are coded once, before the first step: prediction and codebooks are
fitted to them, first to the clips' own vectors, then to what decoded vectors leave to predict. The
decoder then learns to tell the magnitudes that the codes stand for. It begins as an interpolation
between the mel bands. A second run goes on from the first one's checkpoint with spectral distances
of the sound itself, which answer for what the phases do to the magnitudes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from audiofix.trainers.checkpoint import export, start_from
from audiofix.trainers.codebooks import codebooks_from, codeword_usage
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.losses.sound import SoundLossSettings
from audiofix.trainers.losses.weighted import WeightedLosses, weighted_sum
from audiofix.trainers.progress import Bar, no_bar
from audiofix.trainers.recipe import Batch, Item, Turn, TurnResult
from audiofix.trainers.recipes.reconstruction import (
    GENERATOR,
    ClipSettings,
    ReconstructionRecipe,
)
from torch import Tensor, nn
from torch.nn.functional import pad

from audiofix.backends.audiodec.config import SpectralConfig
from audiofix.backends.audiodec.spectral import LEVEL_FLOOR, SpectralCodec
from audiofix.errors import SettingsError

_SEED = 0
_CLIPS_AT_ONCE = 50
_FRAMES_AFTER_NOTHING = 8
"""First frames of a clip, left out: they see the zeros before it."""

_FRAMES_UNHEARD = 16
"""First frames of an item, left out of the losses: what came before them is missing."""

_ROWS_PER_CODEWORD = 150
"""Frames that the codebooks are fitted to, for each of a codebook's codewords."""

_LATE_FRAMES = 2
_LOUDNESS_EXPONENT = 0.6
_LEAST_WEIGHT = 0.02
"""A frame counts by its size relative to the clip's loudest: quiet ones are masked."""

_COMPRESSION = 0.3
"""Loudness grows with about this power of the magnitude."""


@dataclass(frozen=True, slots=True)
class LossSettings(SoundLossSettings):
    """Weights of the losses; those of the sound itself are computed where one weighs anything.

    Attributes:
        level: distance of the log-magnitudes.
        loudness: squared distance of the magnitudes to the power of 0.3.
    """

    mel: float = 0.0
    level: float = 1.0
    loudness: float = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        clips: clips that everything is learned from.
        frames: frames of an item, at most those of a clip.
        closed_loops: times that the codebooks are fitted again to what decoded vectors leave.
        start: checkpoint to go on from, its codebooks included; empty for fresh weights.
        half: whether checkpoints hold float16.
    """

    name: str = "audiodec-spectral"
    model: SpectralConfig = field(default_factory=SpectralConfig)
    data: ClipSettings = field(default_factory=ClipSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    clips: int = 300
    frames: int = 128
    closed_loops: int = 2
    start: str = ""
    half: bool = False


class AnalysedClips(NamedTuple):
    """Clips as the recipe sees them.

    Attributes:
        samples: `[clips, samples]`.
        levels: log-magnitudes that the decoder should tell, `[clips, frames * steps, bins]`.
        vectors: cepstra, `[clips, dim, frames]`.
        weights: how much each code frame counts, `[clips, frames]`.
    """

    samples: Tensor
    levels: Tensor
    vectors: Tensor
    weights: Tensor


class SpectralRecipe(ReconstructionRecipe):
    """`trainers.recipe.Recipe` for the codec of spectra."""

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Find the data and make the network.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
            SettingsError: clips are no whole number of frames, or shorter than items.
        """
        super().__init__(settings.data, settings.loss, settings.model.hop, source)
        if settings.frames > settings.data.samples // settings.model.hop:
            raise SettingsError(f"frames: {settings.frames}: a clip has fewer: make it smaller")
        self.settings = settings
        self._lock = Lock()
        self._analysed: AnalysedClips | None = None
        self._coded: AnalysedClips | None = None
        codec = SpectralCodec(settings.model, settings.data.rate)
        codec.begin_as_interpolation()
        start_from(codec, settings.start)
        self.add_networks(codec, None, device)

    def prepare(self, bar: Bar) -> None:
        """Fit prediction, codebooks and the decoder's statistics to the clips, in a first run.

        Raises:
            SettingsError: there are too few clips for the codebooks.
        """
        if self.settings.start:
            return
        codec = _spectral(self.networks[GENERATOR]).eval()
        with torch.no_grad():
            self._analysed = self._analyse(bar)
            self._fit(codec, self._analysed, bar)
            clips = self._clips_with_codes()
            loud = clips.vectors.mT[clips.weights > _LEAST_WEIGHT]
            codec.decoder.mean.copy_(loud.mean(0))
            codec.decoder.scale.copy_(loud.std(0))

    def _analyse(self, bar: Bar) -> AnalysedClips:
        """Return the clips with vectors that are not quantised."""
        model = self.settings.model
        codec = SpectralCodec(model, self.settings.data.rate)
        found = []
        with torch.no_grad(), bar("reading", self.settings.clips, " clips") as tick:
            for number in range(self.settings.clips):
                clip = self._clips.draw(np.random.default_rng([_SEED, number])).samples
                x = torch.from_numpy(clip)[None]
                vectors = codec.projector(codec.encoder(x))
                magnitudes = codec.encoder.magnitudes(x, model.hop // model.steps)
                # The first code frame ends at the first sample: its other spectra are before that.
                magnitudes = pad(magnitudes, (0, 0, model.steps - 1, 0))
                levels = (magnitudes[:, : vectors.shape[2] * model.steps] + LEVEL_FLOOR).log()
                found.append((x[0], levels.half(), vectors, _weights(levels, model.steps)))
                if tick:
                    tick(number + 1)
        return AnalysedClips(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def _fit(self, codec: SpectralCodec, clips: AnalysedClips, bar: Bar) -> None:
        """Set the prediction by least squares, and the codebooks by k-means."""
        quantizer = codec.quantizer
        used = clips.weights[:, _FRAMES_AFTER_NOTHING:]
        now = clips.vectors[..., _FRAMES_AFTER_NOTHING:]
        before = clips.vectors[..., _FRAMES_AFTER_NOTHING - 1 : -1]
        mean = (now * used[:, None]).sum((0, 2)) / used.sum()
        products = used[:, None] * (before - mean[:, None])
        slope = (products * (now - mean[:, None])).sum((0, 2))
        slope /= (products * (before - mean[:, None])).sum((0, 2))
        quantizer.prediction.copy_(slope.clamp(0, 1))
        quantizer.first.copy_(mean)
        few = np.random.default_rng(_SEED).permutation(used.numel())
        chosen = torch.from_numpy(few[: _ROWS_PER_CODEWORD * self.settings.model.codebook_size])
        for _ in range(self.settings.closed_loops + 1):
            residual = now - slope.clamp(0, 1)[:, None] * before
            rows = residual.mT.flatten(0, 1)[chosen].to(self.device)
            counted = used.flatten()[chosen].to(self.device)
            codebooks_from(rows, quantizer.codebook, _SEED, bar, weights=counted)
            # What is predicted from is what was decoded, in the next round.
            before = _quantised(codec, clips.vectors)[..., _FRAMES_AFTER_NOTHING - 1 : -1]

    def _clips_with_codes(self) -> AnalysedClips:
        """Return the clips with what the network's codes say of them; made once a process."""
        with self._lock:
            if self._coded is None:
                clips = self._analysed or self._analyse(no_bar)
                codec = _spectral(self.networks[GENERATOR])
                with torch.no_grad():
                    self._coded = clips._replace(vectors=_quantised(codec, clips.vectors))
                self._analysed = None
            return self._coded

    def item(self, generator: np.random.Generator) -> Item:
        """Return a stretch of a clip: what the decoder gets and what it should tell."""
        clips = self._clips_with_codes()
        frames, steps = self.settings.frames, self.settings.model.steps
        clip = int(generator.integers(len(clips.vectors)))
        start = int(generator.integers(clips.vectors.shape[2] - frames + 1))
        end = start + frames
        return {
            "vectors": clips.vectors[clip, :, start:end].numpy(),
            "target": clips.levels[clip, start * steps : end * steps].float().numpy(),
            "weights": clips.weights[clip, start:end].repeat_interleave(steps).numpy(),
            "clean": self._heard(clips.samples[clip], start, end).numpy(),
        }

    def _heard(self, samples: Tensor, start: int, end: int) -> Tensor:
        """Return the sound `[1, samples]` that code frames `start` to `end` make final."""
        hop = self.settings.model.hop
        first = (start + _FRAMES_UNHEARD - _LATE_FRAMES) * hop
        return samples[None, first : (end - _LATE_FRAMES) * hop]

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the distances of the decoder's magnitudes."""
        codec = _spectral(self.networks[turn.network])
        weights = self.settings.loss
        # The decoder has seen nothing before the stretch, which streams never meet.
        heard = slice(_FRAMES_UNHEARD * self.settings.model.steps, None)
        made = codec.decoder.log_magnitudes(batch["vectors"])[:, heard]
        target, counts = batch["target"][:, heard], batch["weights"][:, heard, None]
        level = ((made - target).abs() * counts).mean() / counts.mean()
        made_loudness, loudness = ((_COMPRESSION * x).exp() for x in (made.clamp(max=0), target))
        parts: WeightedLosses = {
            "level": (weights.level, level),
            "loudness": (weights.loudness, (made_loudness - loudness).square().mean()),
        }
        if weights.mel or weights.stft:
            parts |= self._losses.distances(self._sound(codec, batch["vectors"]), batch["clean"])
        return TurnResult(weighted_sum(parts))

    def _sound(self, codec: SpectralCodec, vectors: Tensor) -> Tensor:
        """Return the sound `[batch, 1, samples]` that belongs to the items' `clean`."""
        decoder = codec.decoder
        samples = decoder.inversion.differentiable(decoder.magnitudes(vectors))
        return decoder.final(samples, vectors.shape[2] - _FRAMES_UNHEARD)[:, None]

    def reconstruct(self, network: nn.Module, source: Tensor) -> tuple[Tensor, WeightedLosses]:
        """Return the decoded sound of one signal, in time with it."""
        late = _LATE_FRAMES * self.settings.model.hop
        y: Tensor = network(pad(source, (0, late)))
        return y[..., late:], {}

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the log-mel distance of held-out files, and how the codebooks are used."""
        codec = _spectral(networks[GENERATOR])
        own = (self.held_out_pair(one)[1] for one in self.world.share(self.held_out))
        codes = [codec.quantizer(codec.projector(codec.encoder(x))).codes[:, 0].cpu() for x in own]
        codes = self.world.gathered({"codes": codes})["codes"]
        usage = codeword_usage(torch.cat(codes, dim=1), self.settings.model.codebook_size)
        return {**super().validate(networks), **usage}

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the codec as a checkpoint for `encode --model`."""
        settings = self.settings
        config = {
            "rate": settings.data.rate,
            "spectral": asdict(settings.model),
            "late_frames": _LATE_FRAMES,
        }
        export(path, settings, "audiodec", config, networks[GENERATOR].state_dict())


def _weights(levels: Tensor, steps: int) -> Tensor:
    """Return how much each code frame `[clips, frames]` counts; see `_LOUDNESS_EXPONENT`."""
    sizes = levels[:, steps - 1 :: steps].exp().square().mean(2).sqrt()
    share = sizes / sizes.amax(1, keepdim=True)
    return (share**_LOUDNESS_EXPONENT).clamp(min=_LEAST_WEIGHT)


def _quantised(codec: SpectralCodec, vectors: Tensor) -> Tensor:
    """Return what is decoded of the codes of clips; both on the CPU."""
    device = codec.quantizer.prediction.device
    parts = vectors.split(_CLIPS_AT_ONCE)
    return torch.cat([codec.quantizer(part.to(device)).vectors.cpu() for part in parts])


def _spectral(network: nn.Module) -> SpectralCodec:
    assert isinstance(network, SpectralCodec)
    return network
