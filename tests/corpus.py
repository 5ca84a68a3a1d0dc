"""A small corpus of sounds with pitch, loudness and noise, as a manifest."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def tones(seed: int, samples: int = RATE) -> np.ndarray:
    """Return harmonics of a gliding pitch in some noise, `[samples]`, level below 0.5."""
    generator = np.random.default_rng(seed)
    time = np.arange(samples) / RATE
    phase = 2 * np.pi * np.cumsum(generator.uniform(90, 250) + 30 * np.sin(5 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 8)) * np.sin(3 * time) ** 2
    return (0.15 * voice + 0.01 * generator.standard_normal(samples)).astype(np.float32)


def corpus(folder: Path, training: int = 3, validation: int = 2) -> Path:
    """Write recordings of a second and return the manifest that splits them."""
    lines = ["split,file_path,duration"]
    for seed in range(training + validation):
        soundfile.write(folder / f"{seed}.wav", tones(seed), RATE, subtype="FLOAT")
        lines.append(f"{'train' if seed < training else 'validation'},{seed}.wav,1.0")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest
