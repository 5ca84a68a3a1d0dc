"""Held-out figures of an upsampling model beside plain resampling, for its model card.

    python -m audiofix.trainers.heldout --model FILE --manifest MANIFEST.csv

Every recording of the validation split is brought down by soxr, stored as 16 bits, and brought up
by `upsample` as a user would get it, and by soxr alone.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import soxr
import torch
from audiofix.trainers.data.clips import read_mono
from audiofix.trainers.data.manifest import read_manifest

from audiofix.api import upsample
from audiofix.audio.format import Chunk
from audiofix.metrics.lsd import lsd, lsd_band
from audiofix.metrics.snr import snr


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the files: distances in powers of ten, ratio in dB."""

    lsd: float
    lsd_low: float
    lsd_high: float
    snr: float


def brought_down(clean: Chunk, rate: int, low: int) -> Chunk:
    """Return `[channels, samples]` at `low` samples per second, as 16 bits hold it."""
    small = soxr.resample(clean.T, rate, low, "VHQ").T
    return np.ascontiguousarray(
        np.rint(small * 2**15).clip(-(2**15), 2**15 - 1) / 2**15, np.float32
    )


def compare(estimate: Chunk, clean: Chunk, rate: int, low: int) -> Figures:
    """Measure one file; both `[channels, samples]`, cut to the shorter."""
    samples = min(estimate.shape[1], clean.shape[1])
    x, y = torch.from_numpy(estimate[:, :samples]), torch.from_numpy(clean[:, :samples])
    return Figures(
        lsd(x, y).item(),
        lsd_band(x, y, rate, 0, low / 2).item(),
        lsd_band(x, y, rate, low / 2, rate).item(),
        snr(x, y).item(),
    )


def mean(figures: Sequence[Figures]) -> Figures:
    """Return the means over files."""
    columns = zip(*((f.lsd, f.lsd_low, f.lsd_high, f.snr) for f in figures), strict=True)
    return Figures(*(fmean(column) for column in columns))


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--folders", nargs="+", default=["speech48", "music44"])
    parser.add_argument("--low-rates", nargs="+", type=int, default=[8000, 12000, 16000, 24000])
    options = parser.parse_args()
    recordings = read_manifest(options.manifest, split="validation")
    print("| material | input Hz | method | LSD | LSD low | LSD high | SNR dB |")
    print("|---|---|---|---|---|---|---|")
    for folder in options.folders:
        chosen = [r for r in recordings if r.path.parent.name == folder]
        sounds = [read_mono(recording, options.rate) for recording in chosen]
        for low in options.low_rates:
            rows: dict[str, list[Figures]] = {"soxr": [], "upsample": []}
            for clean in sounds:
                small = brought_down(clean, options.rate, low)
                plain = soxr.resample(small.T, low, options.rate, "VHQ").T
                made = upsample(small, low, to=options.rate, model=options.model)
                rows["soxr"].append(compare(plain, clean, options.rate, low))
                rows["upsample"].append(compare(made, clean, options.rate, low))
            for method, figures in rows.items():
                m = mean(figures)
                print(
                    f"| {folder} ({len(chosen)} files) | {low} | {method} | {m.lsd:.3f} | "
                    f"{m.lsd_low:.3f} | {m.lsd_high:.3f} | {m.snr:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
