"""Short words with their labels: Speech Commands, a folder a word, or names like `3_george_7`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.data.corpora import recordings
from audiofix.trainers.data.manifest import Recording
from numpy.typing import NDArray

from audiofix.errors import InputError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The words of SC09, in the order of the classifier's labels."""

_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
FEATURE_ENDINGS = (".npy", ".pt")
"""Of files that hold features `[frames, dimensions]` instead of sound."""

_LOUDEST_FRAME_MS = 10
_KEPT_BEFORE, _KEPT_BEHIND = 1, 3
"""Frames kept around a trimmed word."""


def words(source: Path, split: str, chosen: Sequence[str] = ()) -> list[Recording]:
    """Return the words of one split.

    Args:
        source: Speech Commands' folder, whose lists say what is held out; a folder of feature
            files; or what `corpora.recordings` takes.
        split: `train`, `validation` or `test`.
        chosen: words that are used; none for all.

    Raises:
        InputError: nothing is there.
    """
    if source.is_dir() and (source / _LISTS["validation"]).is_file():
        found = _speech_commands(source, split)
    elif source.is_dir() and (files := _feature_files(source)):
        found = [Recording(path, split, 1.0) for path in _share(files, split)]
    else:
        found = recordings(source, split)
    found = [one for one in found if not chosen or label_of(one.path, chosen) is not None]
    if not found:
        raise InputError(f"{source}: no word in split {split}: check data.words")
    return found


def label_of(path: Path, chosen: Sequence[str]) -> int | None:
    """Return the number of the word that a file is of; None if it is of none.

    Its folder's name says it, or the first part of its own name: the word, or for the digits also
    a digit.
    """
    first = path.stem.split("_")[0].lower()
    for name in (path.parent.name.lower(), first):
        if name in chosen:
            return list(chosen).index(name)
    return int(first) if first.isdecimal() and int(first) < len(chosen) else None


def read_features(path: Path) -> NDArray[np.float32]:
    """Return the features in a file.

    Raises:
        InputError: it holds none.
    """
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True).float().numpy()
    except Exception as error:  # torch names no class for what a file may hold instead
        raise InputError(f"{path}: no features ({error}): make it again") from error
    if found.ndim != 2 or not len(found) or not np.isfinite(found).all():
        raise InputError(f"{path}: features of shape {found.shape}: must be [frames, dimensions]")
    return np.ascontiguousarray(found, np.float32)


def trimmed(sound: np.ndarray, rate: int, below_db: float) -> np.ndarray:
    """Return a word `[samples]` without the silence around it.

    Args:
        sound: the word.
        rate: samples per second.
        below_db: frames so far below the loudest one count as silence.
    """
    frame = rate * _LOUDEST_FRAME_MS // 1000
    count = len(sound) // frame
    if count < 2:
        return sound
    levels = np.square(sound[: count * frame].reshape(count, frame)).mean(1)
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-below_db / 10))
    if not len(loud):
        return sound
    first = max(0, loud[0] - _KEPT_BEFORE)
    return sound[first * frame : (loud[-1] + 1 + _KEPT_BEHIND) * frame]


def _speech_commands(source: Path, split: str) -> list[Recording]:
    lists = {
        name: set((source / file).read_text(encoding="utf-8").split())
        for name, file in _LISTS.items()
        if (source / file).is_file()
    }
    names = sorted(path.relative_to(source).as_posix() for path in source.glob("*/*.wav"))
    if split in lists:
        names = [name for name in names if name in lists[split]]
    else:
        held_out = set().union(*lists.values())
        # `_background_noise_` holds no words.
        names = [name for name in names if name not in held_out and "_" not in Path(name).parts[0]]
    return [Recording(source / name, split, 1.0) for name in names]


def _feature_files(source: Path) -> list[Path]:
    return sorted(path for path in source.rglob("*") if path.suffix in FEATURE_ENDINGS)


def _share(files: list[Path], split: str) -> list[Path]:
    """Return nine of ten files for training, the tenth ones for validation."""
    held_out = files[::10]
    return held_out if split != "train" else [file for file in files if file not in set(held_out)]
