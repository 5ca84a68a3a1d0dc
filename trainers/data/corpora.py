"""Where recordings come from: a manifest, a folder in VCTK's layout, or any folder of sounds.

HDF5 files of windows (`hdf5`) count as sounds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from zlib import crc32

from audiofix.trainers.data import hdf5
from audiofix.trainers.data.manifest import Recording, read_manifest

from audiofix.audio.folder import is_audio
from audiofix.audio.source import Source, open_source
from audiofix.errors import InputError

Item = TypeVar("Item")

_VCTK_FOLDER = "wav48_silence_trimmed"
_VCTK_LEFT_OUT = ("p280", "p315")
_VCTK_TRAINING_SPEAKERS = 100
_READ_SAMPLES = 1 << 16
_VALIDATION_SHARE = 10
"""One file in so many is held out where nothing else says which."""


def recordings(
    source: Path, split: str, *, folders: Sequence[str] = (), silences: Path | None = None
) -> list[Recording]:
    """Return the recordings of one split.

    Args:
        source: a manifest (`split,file_path,duration`), VCTK 0.92's folder, or any folder: there
            the names decide, and about one file in ten, at least one, is validation.
        split: `train`, `validation`, `test` of VCTK, or another that a manifest names.
        folders: names of the folders whose files are used; none for all.
        silences: VCTK's time stamps (`vctk-silences.0.92.txt`); each file is cut to its speech.

    Raises:
        InputError: nothing is there, or nothing in that split and those folders.
    """
    found = _of_source(source, split, silences)
    chosen = [one for one in found if not folders or one.path.parent.name in folders]
    if not chosen:
        raise InputError(f"{source}: split {split} has nothing in data.folders: name others")
    return chosen


def _of_source(source: Path, split: str, silences: Path | None) -> list[Recording]:
    if source.is_file():
        return read_manifest(source, split=split)
    if not source.is_dir():
        raise InputError(f"{source}: no such manifest or folder: check the name")
    vctk = source / _VCTK_FOLDER
    paths = _vctk(vctk, split) if vctk.is_dir() else _of_split(_sounds(source), source, split)
    times = read_silences(silences) if silences else {}
    found = [one for path in paths for one in recordings_of(path, split, times)]
    found = [recording for recording in found if recording.duration > 0]
    if not found:
        raise InputError(f"{source}: no recording in split {split}: add recordings, two at least")
    return found


def spread(found: Sequence[Item], count: int) -> list[Item]:
    """Return `count` of some recordings or places, evenly spread; all for 0."""
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


def _vctk(folder: Path, split: str) -> list[Path]:
    """The authors' split: the first 100 speakers train, of which one utterance in ten validates."""
    speakers = sorted(p.name for p in folder.iterdir() if p.is_dir())
    speakers = [name for name in speakers if name not in _VCTK_LEFT_OUT]
    training = speakers[:_VCTK_TRAINING_SPEAKERS]
    chosen = speakers[_VCTK_TRAINING_SPEAKERS:] if split == "test" else training
    paths = [path for name in chosen for path in sorted((folder / name).glob("*_mic1.*"))]
    return paths if split == "test" else _of_split(paths, folder, split)


def _sounds(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (path.suffix in hdf5.EXTENSIONS or is_audio(path))
    ]


def _of_split(paths: list[Path], folder: Path, split: str) -> list[Path]:
    """Return the paths of a split, which their names decide; one at least is held out."""
    if not paths:
        return []
    draws = {path: crc32(path.relative_to(folder).as_posix().encode()) for path in paths}
    held_out = {path for path, draw in draws.items() if draw % _VALIDATION_SHARE == 0}
    held_out = held_out or {min(paths, key=lambda path: draws[path])}
    wanted = {"validation": held_out, "train": set(paths) - held_out}.get(split, set())
    return [path for path in paths if path in wanted]


def recordings_of(
    path: Path, split: str, silences: Mapping[str, tuple[float, float]] | None = None
) -> list[Recording]:
    """Return what one file holds: a recording, or the windows of HDF5.

    Args:
        path: the file.
        split: what its recordings are for.
        silences: see `read_silences`.
    """
    if path.suffix in hdf5.EXTENSIONS:
        return hdf5.windows_of(path, split)
    with open_source(path) as source:
        samples = _counted(source) if source.samples is None else source.samples
        duration = samples / source.format.rate
    start, stop = (silences or {}).get(path.stem.removesuffix("_mic1"), (0.0, duration))
    return [Recording(path, split, min(stop, duration) - start, start)]


def _counted(source: Source) -> int:
    count = 0
    while samples := source.read(_READ_SAMPLES).shape[1]:
        count += samples
    return count
