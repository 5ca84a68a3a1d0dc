"""Phrases of music from recordings of single notes, for training data.

Sample libraries with free licences hold single notes, and a model that learns from single notes
never hears two at once. No note is resampled or shifted in pitch: only placed, levelled and panned.

    python -m audiofix.trainers.data.arrangement PIANO/ GUITAR/ -o music/ --clips 100 --seed 1
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from audiofix.audio.format import Chunk

RATE = 44100
"""Samples per second; recordings at another rate are left out."""

_FADE_SECONDS = 0.02
_LONGEST_SECONDS = 6.0


def arrange(
    instruments: Sequence[Sequence[Path]], seconds: float, rng: np.random.Generator
) -> Chunk:
    """Return one phrase of one to three instruments.

    Args:
        instruments: the recordings of single notes of each.
        seconds: length of the phrase.
        rng: decides everything.

    Returns:
        float32 `[2, samples]`, with a peak between -9 and -1 dB.
    """
    sound = np.zeros((2, round(seconds * RATE)), np.float32)
    count = min(len(instruments), int(rng.integers(1, 4)))
    for which in rng.choice(len(instruments), count, replace=False):
        _play(instruments[which], sound, rng)
    peak = max(float(np.abs(sound).max()), 1e-9)
    return np.asarray(sound * (10 ** (rng.uniform(-9, -1) / 20) / peak), np.float32)


def _play(notes: Sequence[Path], sound: Chunk, rng: np.random.Generator) -> None:
    """Add one instrument to `sound`: chords of one to three notes on the beats of one tempo."""
    beat = RATE * 60 / rng.uniform(50, 180)
    level, pan = rng.uniform(0.3, 1.0), rng.uniform(0.2, 0.8)
    start = rng.uniform(0, beat)
    while start < sound.shape[1]:
        for _ in range(rng.choice([1, 1, 2, 3])):
            note = _read(notes[int(rng.integers(len(notes)))], beat * rng.choice([1, 2, 4]))
            end = min(sound.shape[1], int(start) + note.shape[1])
            gain = level * rng.uniform(0.5, 1) * np.sqrt([[1 - pan], [pan]])
            sound[:, int(start) : end] += gain * note[:, : end - int(start)]
        start += beat * rng.choice([0.5, 1, 1, 2])


def _read(path: Path, samples: float) -> Chunk:
    """Return the beginning of a recording, `[2, samples]` or less, faded out at its end."""
    longest = int(min(samples, _LONGEST_SECONDS * RATE))
    note, rate = soundfile.read(path, frames=longest, dtype="float32", always_2d=True)
    if rate != RATE or len(note) < RATE // 10:
        return np.zeros((2, 0), np.float32)
    fade = int(_FADE_SECONDS * RATE)
    note[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return np.ascontiguousarray(np.broadcast_to(note[:, :2].T, (2, len(note))))


def main() -> None:
    """Write phrases into a folder, as 16-bit FLAC with triangular dither."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instruments", nargs="+", type=Path, help="folders of single notes")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = [
        sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac"))
        for folder in given.instruments
    ]
    given.output.mkdir(parents=True, exist_ok=True)
    for clip in range(given.clips):
        rng = np.random.default_rng([given.seed, clip])
        sound = arrange([notes for notes in found if notes], given.seconds, rng)
        dither = (rng.random(sound.shape) - rng.random(sound.shape)) / 2**15
        path = given.output / f"phrase-{given.seed}-{clip:04d}.flac"
        soundfile.write(path, np.clip(sound + dither, -1, 1).T, RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
