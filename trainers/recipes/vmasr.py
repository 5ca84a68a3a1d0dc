"""A quick recipe for small VM-ASR models: regression of the missing band, no discriminator.

    python -m audiofix.trainers.recipes.vmasr --manifest MANIFEST.csv --out small.safetensors

The loss is the log-spectral distance itself plus the distance of the log-magnitudes that the
network sets. Every clip is brought down to a random rate and up again by soxr or by a polyphase
filter, and half of the clips are rounded to 16 bits on the way, as real files are.
"""

import argparse
import logging
import math
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from audiofix.trainers.data.clips import Clips, read_mono
from audiofix.trainers.data.manifest import read_manifest
from scipy.signal import resample_poly
from torch import Tensor
from torch.nn.functional import l1_loss

from audiofix.audio.format import Chunk
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.enhance import enhance_spectra
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.vmasr.restore import edge_bin
from audiofix.backends.weights import Checkpoint, save_checkpoint
from audiofix.dsp.stft import log_magnitude_and_phase
from audiofix.metrics.lsd import lsd

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result, with the data and the torch version."""

    rate: int = 48000
    input_rates: tuple[int, ...] = (8000, 11025, 12000, 16000, 22050, 24000, 32000)
    folders: tuple[str, ...] = ("speech48", "music44")
    speeds: tuple[float, ...] = (0.8, 0.88, 0.94, 1.0, 1.0, 1.06)
    frames: int = 128
    batch: int = 6
    steps: int = 2000
    warm_up: int = 100
    learning_rate: float = 2e-3
    average_decay: float = 0.998
    gradient_limit: float = 1.0
    seed: int = 1


CONFIG = VMASRConfig(dims=8, interact="single", drop_path_rate=0.0)


def degrade(clip: Chunk, rate: int, low: int, generator: np.random.Generator) -> Chunk:
    """Return `clip` `[1, samples]` as it comes back from `low` samples per second."""
    row = clip[0]
    if generator.random() < 0.75:
        quality = str(generator.choice(["VHQ", "HQ", "MQ"]))
        small = soxr.resample(row, rate, low, quality)
        if generator.random() < 0.5:
            small = np.rint(small * 32768 + generator.uniform(-1, 1, small.size)) / 32768
        back = soxr.resample(small, low, rate, "VHQ")
    else:
        back = resample_poly(resample_poly(row, low, rate), rate, low)
    back = np.pad(back, (0, max(0, row.size - back.size)))[: row.size]
    return back[None].astype(np.float32)


def train(recipe: Recipe, config: VMASRConfig, clips: Clips) -> VMASR:
    """Return the moving average of the trained network."""
    generator = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    network = VMASR(config).train()
    average = deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(recipe, step))
    for step in range(recipe.steps):
        loss = _loss(network, *_batch(recipe, config, clips, generator))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_limit)
        optimiser.step()
        schedule.step()
        decay = min(recipe.average_decay, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        if step % 20 == 0:
            log.info("step %d loss %.4f", step, loss.item())
    return average.eval()


def _share(recipe: Recipe, step: int) -> float:
    """Return the learning rate's share at a step: a linear warm-up, then half a cosine."""
    warm_up = min(1.0, (step + 1) / recipe.warm_up)
    return warm_up * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps)))


def _batch(
    recipe: Recipe, config: VMASRConfig, clips: Clips, generator: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return degraded and true waves `[batch, 1, samples]`, and edges `[batch]`."""
    low, high, edges = [], [], []
    for _ in range(recipe.batch):
        clip = clips.draw(generator)
        rate = int(generator.choice(recipe.input_rates))
        low.append(degrade(clip, recipe.rate, rate, generator))
        high.append(clip)
        edges.append(edge_bin(rate / 2, recipe.rate, config.bins))
    return torch.from_numpy(np.stack(low)), torch.from_numpy(np.stack(high)), torch.tensor(edges)


def _loss(network: VMASR, degraded: Tensor, clean: Tensor, edge: Tensor) -> Tensor:
    spectra = enhance_spectra(network, network.transform(degraded), edge, patched=True)
    wave = network.inverse(spectra, clean.shape[-1])
    made, _ = log_magnitude_and_phase(spectra)
    wanted, _ = log_magnitude_and_phase(network.transform(clean))
    missing = torch.arange(made.shape[1])[None, :, None] >= edge[:, None, None]
    return lsd(wave[:, 0], clean[:, 0]) + 0.3 * l1_loss(made * missing, wanted * missing)


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="vmasr-small-48k")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = Recipe(steps=options.steps, seed=options.seed)
    recordings = [
        recording
        for recording in read_manifest(options.manifest, split="train")
        if recording.path.parent.name in recipe.folders
    ]
    sounds = [read_mono(recording, recipe.rate) for recording in recordings]
    clips = Clips(sounds, (recipe.frames - 1) * CONFIG.hop_length, recipe.speeds)
    network = train(recipe, CONFIG, clips)
    config = {**asdict(CONFIG), "rate": recipe.rate, "patched": True}
    checkpoint = Checkpoint(options.name, "vmasr", config, network.state_dict(), str(options.out))
    save_checkpoint(options.out, checkpoint, half=True)


if __name__ == "__main__":
    main()
