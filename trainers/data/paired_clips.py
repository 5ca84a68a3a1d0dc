"""Clips of recordings and of their own coded versions, for training on damages of any kind."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from audiofix.trainers.data.clips import read_sound
from audiofix.trainers.data.coded_clips import CodedClipSettings, scaled_pair
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.remembered import Remembered

from audiofix.audio.format import Chunk, as_chunk
from audiofix.audio.pairs import found_pairs
from audiofix.errors import InputError
from audiofix.metrics.alignment import advanced, delay

Pairs = Mapping[str, tuple[Path, Path]]
"""Name -> original and coded recording."""

_MOST_DELAY_SECONDS = 0.05
_WHOLE_SECONDS = 1e6
_VALIDATION_FOLDERS = ("validation", "valid")


def pairs_of_split(source: Path, split: str) -> Pairs:
    """Return the pairs in `source/train`, or in `source/validation` or `source/valid`.

    Raises:
        InputError: there are none.
    """
    names = ("train",) if split == "train" else _VALIDATION_FOLDERS
    for name in names:
        if (source / name).is_dir():
            return found_pairs(source / name)
    raise InputError(f"{source}: has no folder {' or '.join(names)}: put pairs there")


def read_pair(pair: tuple[Path, Path], rate: int) -> tuple[Chunk, Chunk]:
    """Return both recordings `[channels, samples]` at `rate`, in time with each other.

    Raises:
        InputError: their channels differ.
    """
    original, coded = (
        read_sound(Recording(path, "", _WHOLE_SECONDS, 0.0), rate)[:2] for path in pair
    )
    if len(original) != len(coded):
        raise InputError(
            f"{pair[1]}: {len(coded)} channels, its original {pair[0]} has {len(original)}: "
            "make them equal"
        )
    samples = min(original.shape[1], coded.shape[1])
    original, coded = original[:, :samples], coded[:, :samples]
    late = delay(coded, original, round(_MOST_DELAY_SECONDS * rate))
    return original, advanced(coded, late)


class PairedClips:
    """Draws clips of pairs; settings about codecs and mixtures have no effect."""

    def __init__(self, pairs: Pairs, settings: CodedClipSettings) -> None:
        """Draw from pairs, each read when it is drawn first."""
        self._pairs = list(pairs.values())
        self._settings = settings
        self._read = Remembered(self._pair)

    def draw(self, generator: np.random.Generator) -> tuple[Chunk, Chunk]:
        """Return a clip and its coded version, `[channels, samples]`, at a joint peak."""
        settings = self._settings
        original, coded = self._read(int(generator.integers(len(self._pairs))))
        start = int(generator.integers(max(1, original.shape[1] - settings.samples + 1)))
        clips = [self._cut(sound, start) for sound in (original, coded)]
        if settings.channels == 1:
            row = generator.integers(len(original))
            clips = [clip[row : row + 1] for clip in clips]
        return scaled_pair(clips[0], clips[1], generator.uniform(settings.quietest_db, 0))

    def _pair(self, place: int) -> tuple[Chunk, Chunk]:
        return read_pair(self._pairs[place], self._settings.rate)

    def _cut(self, sound: Chunk, start: int) -> Chunk:
        clip = sound[:, start : start + self._settings.samples]
        clip = np.pad(clip, ((0, 0), (0, self._settings.samples - clip.shape[1])))
        rows = max(len(clip), self._settings.channels)
        return as_chunk(np.broadcast_to(clip, (rows, clip.shape[1])))
