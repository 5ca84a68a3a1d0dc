"""How A2SB is trained: bands and gaps taken from images of sound (specification, section 10)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.checkpoint import export, start_from
from audiofix.trainers.data.clips import Clips, known_share
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.recipes.a2sb_loss import bridge_loss
from audiofix.trainers.run_log import Example
from audiofix.trainers.validation import VALIDATION_SEED, centre_clip, example
from numpy.typing import NDArray
from torch import Tensor, nn

from audiofix.audio.format import Chunk
from audiofix.backends.a2sb.blocks import time_embedding
from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.config import BridgeConfig, UNetConfig
from audiofix.backends.a2sb.image import ImageTransform
from audiofix.backends.a2sb.masks import drawn_gap, filled, row_bounds
from audiofix.backends.a2sb.network import Level, UNet
from audiofix.backends.a2sb.sampling import Canvas, FastWalk, sample
from audiofix.errors import InputError, SettingsError

_VALIDATION_TIMES = (0.25, 0.5, 0.75, 0.99)
_SILENCE = 1e-4
"""RMS of a clip below which it tells nothing."""

_FAINT = 0.1
"""Magnitude in an image, 1e-8 in power, below which differences do not count."""


@dataclass(frozen=True, slots=True)
class DamageSettings:
    """What is taken from a crop.

    Attributes:
        band_share: probability that it is the band above a cutoff; else it is a gap.
        cutoffs_hz: lowest and highest cutoff.
        gaps: shortest and longest gap, as shares of the crop's frames.
        t_range: times trained on; a network of a pair is trained on half of them.
    """

    band_share: float = 0.5
    cutoffs_hz: tuple[float, ...] = (2000.0, 16000.0)
    gaps: tuple[float, ...] = (0.03378, 0.5404)
    t_range: tuple[float, ...] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What crops are cut from.

    Attributes:
        speeds: playback speeds to draw from.
        validation_files: files validated, spread over the split; 0 for all.
    """

    speeds: tuple[float, ...] = (1.0,)
    validation_files: int = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        start: checkpoint to start from, empty for fresh weights.
        checkpoint_activations: whether the backward pass computes each block again, instead of
            keeping what it needs of it: less memory, more time, the same gradients.
        half: whether checkpoints hold float16.
    """

    name: str = "a2sb"
    model: UNetConfig = field(default_factory=UNetConfig)
    bridge: BridgeConfig = field(default_factory=BridgeConfig)
    damage: DamageSettings = field(default_factory=DamageSettings)
    data: DataSettings = field(default_factory=DataSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    start: str = ""
    checkpoint_activations: bool = False
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse what the network cannot take.

        Raises:
            SettingsError: a setting is out of its range.
        """
        multiple = self.model.multiple
        if self.bridge.window_frames % multiple or self.bridge.rows % multiple:
            raise SettingsError(
                f"bridge: {self.bridge.rows} rows, {self.bridge.window_frames} frames: both must "
                f"be multiples of {multiple}"
            )
        for name in ("cutoffs_hz", "gaps", "t_range"):
            pair = getattr(self.damage, name)
            if len(pair) != 2 or not 0 <= pair[0] <= pair[1]:
                raise SettingsError(f"damage.{name}: {list(pair)}: must be a lower and an upper")


class A2SBRecipe(Recipe):
    """`trainers.recipe.Recipe` for A2SB."""

    monitor = "loss"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the network and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
        """
        self.settings, self.device = settings, device
        network = UNet(settings.model)
        start_from(network, settings.start)
        for module in network.modules():
            if isinstance(module, Level):
                module.checkpointed = settings.checkpoint_activations
        self.networks: dict[str, nn.Module] = {"bridge": network.to(device)}
        config = settings.bridge
        self._transform = ImageTransform(config.n_fft, config.hop)
        self._bridge = Bridge(config.beta_max)
        self._samples = (config.window_frames - 1) * config.hop
        self.training = recordings(source, "train")
        held_out = recordings(source, "validation")
        self.held_out = spread(held_out, settings.data.validation_files)
        self._clips = Clips(self.training, config.rate, self._samples, settings.data.speeds)

    def item(self, generator: np.random.Generator) -> Item:
        """Return a crop, the part of it that is taken away, and a time."""
        clip = self._clips.draw(generator)
        clean = _levelled(clip.samples, self.settings.bridge.level)
        first, last = self.settings.damage.t_range
        mask = self._mask(clip.known, generator)
        return {"clean": clean, **mask, "t": np.asarray(generator.uniform(first, last), np.float32)}

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the loss on the masked part of a batch of crops."""
        clean = self._transform.image(batch["clean"][:, 0])
        mask = batch["mask"][:, None].expand_as(clean)
        damaged = filled(clean, mask, torch.randn_like(clean))
        noise = None if self.settings.bridge.deterministic else torch.randn_like(clean)
        network = self.networks[turn.network]
        assert isinstance(network, UNet)
        counted = mask * batch["known"][:, None]
        loss = bridge_loss(network, self._bridge, clean, damaged, counted, batch["t"], noise)
        return TurnResult({TOTAL: loss})

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the loss at fixed times, and the log-spectral distance inside filled gaps."""
        network = networks["bridge"]
        assert isinstance(network, UNet)
        found: dict[str, list[float]] = {f"loss_{t}": [] for t in _VALIDATION_TIMES}
        found["lsd"] = []
        for recording in self.world.share(self.held_out):
            clean, mask = self._held_out_crop(recording)
            damaged, noise = self._damaged(clean, mask)
            for t in _VALIDATION_TIMES:
                time = torch.full((1,), t, device=self.device)
                given = None if self.settings.bridge.deterministic else noise
                loss = bridge_loss(network, self._bridge, clean, damaged, mask, time, given)
                found[f"loss_{t}"].append(loss.item())
            found["lsd"].append(self._distance(network, clean, damaged, mask))
        gathered = self.world.gathered(found)
        means = {name: float(np.mean(values)) for name, values in gathered.items()}
        return {**means, "loss": float(np.mean([means[f"loss_{t}"] for t in _VALIDATION_TIMES]))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out crops: with a gap, filled, whole."""
        network = networks["bridge"]
        assert isinstance(network, UNet)
        examples = []
        for recording in self.world.share(spread(self.held_out, count)):
            clean, mask = self._held_out_crop(recording)
            damaged, _ = self._damaged(clean, mask)
            images = {
                "input": clean * (1 - mask),
                "estimate": self._filled(network, damaged, mask),
                "target": clean,
            }
            sounds = {name: self._transform.sound(x)[None] for name, x in images.items()}
            examples.append(example(recording.path.stem, self.settings.bridge.rate, sounds))
        return examples

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the checkpoint that `inpaint -m` and `upsample -m` load."""
        settings = self.settings
        config = {"net": asdict(settings.model), **asdict(settings.bridge)}
        export(path, settings, "a2sb", config, networks["bridge"].state_dict())

    def _mask(self, known: float, generator: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return `mask` `[rows, frames]`, and `known` `[rows, 1]`: the rows that the crop has."""
        config, damage = self.settings.bridge, self.settings.damage
        mask = np.zeros((config.rows, config.window_frames), np.float32)
        if generator.random() < damage.band_share:
            low, high = damage.cutoffs_hz
            # Something of the masked band must be known.
            reach = max(low, min(high, 0.9 * known * config.rate / 2))
            mask[generator.integers(*row_bounds(low, reach, config)) :] = 1
        else:
            draws = generator.random(), generator.random()
            start, end = drawn_gap(*draws, config.window_frames, *damage.gaps)
            mask[:, start : max(end, start + 1)] = 1
        rows = np.zeros((config.rows, 1), np.float32)
        rows[: max(1, int(known * config.rows))] = 1
        return {"mask": mask, "known": rows}

    def _held_out_crop(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return the image of a recording's middle, and a mask of a gap in the middle of that."""
        config = self.settings.bridge
        crop, own_rate = centre_clip(recording, config.rate, self._samples)
        if not crop.any():
            raise InputError(f"{recording.path}: silent in its middle: validate another")
        clean = self._transform.image(torch.from_numpy(_levelled(crop, config.level)))
        mask = torch.zeros_like(clean)
        shortest, longest = self.settings.damage.gaps
        begin, end = drawn_gap(0.5, None, config.window_frames, shortest, longest)
        mask[..., : int(known_share(own_rate, config.rate) * config.rows), begin:end] = 1
        return clean.to(self.device), mask.to(self.device)

    def _damaged(self, clean: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image with noise in its gap, and noise for the bridge; alike every time."""
        generator = torch.Generator().manual_seed(VALIDATION_SEED)
        draws = torch.randn((2, *clean.shape), generator=generator).to(self.device)
        return filled(clean, mask, draws[0]), draws[1]

    def _filled(self, network: UNet, damaged: Tensor, mask: Tensor) -> Tensor:
        def velocity(images: Tensor, t: float) -> Tensor:
            times = torch.full((len(images),), t, device=images.device)
            result: Tensor = network(images, time_embedding(times, network.config.emb_channels))
            return result

        walk = FastWalk(self._bridge, self.settings.bridge.fast_steps, deterministic=True)
        canvas = Canvas(damaged, damaged, mask)
        return sample(walk, canvas, velocity, lambda _, shape: torch.zeros(tuple(shape)))[-1]

    def _distance(self, network: UNet, clean: Tensor, damaged: Tensor, mask: Tensor) -> float:
        """Return the log-spectral distance, in powers of ten, inside the masked frames."""
        made = self._filled(network, damaged, mask)
        # An image's magnitude is a fourth root: eight times its logarithm is that of the power.
        logs = [8 * image[:, 0].abs().clamp(min=_FAINT).log10() for image in (made, clean)]
        frames = mask[0, 0].amax(dim=0) > 0
        squares = (logs[0] - logs[1])[..., frames].square()
        return squares.mean(dim=1).sqrt().mean().item()


def _levelled(samples: Chunk, level: float) -> Chunk:
    """Return samples at an RMS of `level`; as they are for 0, and where there is only silence."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    if not level or rms < _SILENCE:
        return samples
    return np.asarray(samples * np.float32(level / rms), np.float32)
