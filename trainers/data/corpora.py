"""Where recordings come from: a manifest, a folder in VCTK's layout, or any folder of sounds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import soundfile
from audiofix.trainers.data.manifest import Recording, read_manifest

from audiofix.errors import InputError

_SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff")
_VCTK_FOLDER = "wav48_silence_trimmed"
_VCTK_LEFT_OUT = ("p280", "p315")
_VCTK_TRAINING_SPEAKERS = 100
_VALIDATION_SHARE = 10
"""One file in so many is held out where nothing else says which."""


def recordings(source: Path, split: str, *, silences: Path | None = None) -> list[Recording]:
    """Return the recordings of one split.

    Args:
        source: a manifest (`split,file_path,duration`), VCTK 0.92's folder, or any folder: there
            the names decide, and about one file in ten is validation.
        split: `train`, `validation`, or another that a manifest names.
        silences: VCTK's time stamps (`vctk-silences.0.92.txt`); each file is cut to its speech.

    Raises:
        InputError: nothing is there, or nothing in that split.
    """
    if source.is_file():
        return read_manifest(source, split=split)
    if not source.is_dir():
        raise InputError(f"{source}: no such manifest or folder: check the name")
    if (source / _VCTK_FOLDER).is_dir():
        found = _vctk(source / _VCTK_FOLDER, split)
        found = _trimmed(found, read_silences(silences)) if silences else found
    else:
        found = [
            Recording(path, split, soundfile.info(path).duration)
            for path in sorted(source.rglob("*"))
            if path.suffix.lower() in _SOUNDS and _folder_split(path.relative_to(source)) == split
        ]
    if not found:
        raise InputError(f"{source}: no recording in split {split}: name another split")
    return found


def spread(found: Sequence[Recording], count: int) -> list[Recording]:
    """Return `count` of the recordings, evenly spread; all for 0."""
    if not count or count >= len(found):
        return list(found)
    return [found[place * len(found) // count] for place in range(count)]


def read_silences(path: Path) -> Mapping[str, tuple[float, float]]:
    """Return utterance -> seconds at which speech begins and ends.

    Raises:
        InputError: the file is missing or has another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        words = [line.split() for line in lines if line.strip()]
        return {name: (float(start), float(stop)) for name, start, stop in words}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a list of `NAME START STOP`: {error}") from error


def _vctk(folder: Path, split: str) -> list[Recording]:
    """The authors' split: the first 100 speakers train, of which one utterance in ten validates."""
    speakers = sorted(p.name for p in folder.iterdir() if p.is_dir())
    speakers = [name for name in speakers if name not in _VCTK_LEFT_OUT]
    training = speakers[:_VCTK_TRAINING_SPEAKERS]
    chosen = speakers[_VCTK_TRAINING_SPEAKERS:] if split == "test" else training
    paths = [path for name in chosen for path in sorted((folder / name).glob("*_mic1.*"))]
    return [
        Recording(path, split, soundfile.info(path).duration)
        for path in paths
        if split == "test" or _folder_split(Path(path.name)) == split
    ]


def _trimmed(
    found: list[Recording], silences: Mapping[str, tuple[float, float]]
) -> list[Recording]:
    trimmed = []
    for recording in found:
        name = recording.path.stem.removesuffix("_mic1")
        start, stop = silences.get(name, (0.0, recording.duration))
        trimmed.append(replace(recording, start=start, duration=stop - start))
    return trimmed


def _folder_split(name: Path) -> str:
    held_out = crc32(name.as_posix().encode()) % _VALIDATION_SHARE == 0
    return "validation" if held_out else "train"
