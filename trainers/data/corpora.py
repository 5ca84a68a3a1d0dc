"""Where recordings come from: a manifest, a folder in VCTK's layout, or any folder of sounds.

HDF5 files of windows (`hdf5`) and tar shards (`tar`) count as sounds. Manifests and folders may lie
in an object store.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar
from zlib import crc32

from audiofix.trainers.data import hdf5, tar
from audiofix.trainers.data.manifest import Recording, Span, read_manifest

from audiofix.audio.folder import is_audio
from audiofix.audio.remote import has_audio_name, remote_files, url_of
from audiofix.audio.source import Source, open_source
from audiofix.errors import InputError

Item = TypeVar("Item")

_VCTK_FOLDER = "wav48_silence_trimmed"
_VCTK_LEFT_OUT = ("p280", "p315")
_VCTK_TRAINING_SPEAKERS = 100
_READ_SAMPLES = 1 << 16
_VALIDATION_SHARE = 10
"""One file in so many is held out where nothing else says which."""

_share: ContextVar[tuple[int, int]] = ContextVar("share", default=(0, 1))


class Found(NamedTuple):
    """A file of sounds.

    Attributes:
        path: of the file, `SHARD.tar/NAME` in a shard.
        span: where it lies in its shard; None for a file of its own.
    """

    path: Path
    span: Span | None = None


@contextmanager
def shared_out(rank: int, size: int) -> Iterator[None]:
    """Let `recordings` return, of what is trained on, only the `rank`-th of `size` parts.

    Recipes ask for recordings while they are made, and need not know of other processes.
    """
    token = _share.set((rank, size))
    try:
        yield
    finally:
        _share.reset(token)


def recordings(
    source: Path, split: str, *, folders: Sequence[str] = (), silences: Path | None = None
) -> list[Recording]:
    """Return the recordings of one split.

    Args:
        source: a manifest (`split,file_path,duration`), VCTK 0.92's folder, or any folder: there
            the names decide, and about one file in ten, at least one, is validation. Or the URL of
            a manifest or of any folder.
        split: `train`, `validation`, `test` of VCTK, or another that a manifest names.
        folders: names of the folders whose files are used; none for all.
        silences: VCTK's time stamps (`vctk-silences.0.92.txt`); each file is cut to its speech.

    Raises:
        InputError: nothing is there, or nothing in that split and those folders.
    """
    share = _share.get() if split == "train" else (0, 1)
    if source.is_file() or (url_of(source) and source.suffix == ".csv"):
        found = read_manifest(source, split=split, share=share)
    else:
        found = _in_folder(source, split, silences)[share[0] :: share[1]]
    chosen = [one for one in found if not folders or one.path.parent.name in folders]
    if not chosen:
        raise InputError(f"{source}: split {split} has nothing in data.folders: name others")
    return chosen


def _in_folder(source: Path, split: str, silences: Path | None) -> list[Recording]:
    times = read_silences(silences) if silences else {}
    files = of_split(found_files(source), source, split)
    found = [one for file in files for one in recordings_of(file.path, split, times, file.span)]
    found = [recording for recording in found if recording.duration > 0]
    if not found:
        raise InputError(f"{source}: no recording in split {split}: add recordings, two at least")
    return found


def found_files(source: Path) -> list[Found]:
    """Return every file of sounds in a folder, here or in a store, those in tar shards too.

    Raises:
        InputError: there is no such folder, or a shard cannot be read.
    """
    if url := url_of(source):
        listed = remote_files(
            url, lambda name: has_audio_name(name) or name.endswith(tar.EXTENSION)
        )
        paths = [path for path, _ in listed or []]
    elif source.is_dir():
        paths = _sounds(source / _VCTK_FOLDER if (source / _VCTK_FOLDER).is_dir() else source)
    else:
        raise InputError(f"{source}: no such manifest or folder: check the name")
    return [
        file
        for path in paths
        for file in (
            map(Found._make, tar.files_in(path)) if path.suffix == tar.EXTENSION else [Found(path)]
        )
    ]


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


def of_split(found: list[Found], source: Path, split: str) -> list[Found]:
    """Return the files of a split of a folder, as their names decide.

    Args:
        found: all of them, from `found_files`.
        source: the folder.
        split: `train`, `validation`, or for VCTK `test`.
    """
    vctk = source / _VCTK_FOLDER
    if url_of(source) or not vctk.is_dir():
        return _drawn(found, source, split)
    chosen = _vctk(found, vctk, split)
    return chosen if split == "test" else _drawn(chosen, vctk, split)


def _vctk(found: list[Found], folder: Path, split: str) -> list[Found]:
    """The authors' split: the first 100 speakers train, of which one utterance in ten validates."""
    speakers = sorted(p.name for p in folder.iterdir() if p.is_dir())
    speakers = [name for name in speakers if name not in _VCTK_LEFT_OUT]
    if split == "test":
        chosen = set(speakers[_VCTK_TRAINING_SPEAKERS:])
    else:
        chosen = set(speakers[:_VCTK_TRAINING_SPEAKERS])
    return [
        one for one in found if one.path.parent.name in chosen and one.path.stem.endswith("_mic1")
    ]


def _sounds(folder: Path) -> list[Path]:
    kept = (*hdf5.EXTENSIONS, tar.EXTENSION)
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (path.suffix in kept or is_audio(path))
    ]


def _drawn(found: list[Found], folder: Path, split: str) -> list[Found]:
    """Return the files of a split, which their names decide; one at least is held out."""
    if not found:
        return []
    draws = {one: crc32(one.path.relative_to(folder).as_posix().encode()) for one in found}
    held_out = {one for one, draw in draws.items() if draw % _VALIDATION_SHARE == 0}
    held_out = held_out or {min(found, key=lambda one: draws[one])}
    wanted = {"validation": held_out, "train": set(found) - held_out}.get(split, set())
    return [one for one in found if one in wanted]


def recordings_of(
    path: Path,
    split: str,
    silences: Mapping[str, tuple[float, float]] | None = None,
    span: Span | None = None,
) -> list[Recording]:
    """Return what one file holds: a recording, or the windows of HDF5.

    Args:
        path: the file.
        split: what its recordings are for.
        silences: see `read_silences`.
        span: where it lies in its tar shard.
    """
    if path.suffix in hdf5.EXTENSIONS:
        return hdf5.windows_of(path, split)
    recording = Recording(path, split, 0.0, span=span)
    with tar.open_file(recording) if span else open_source(path) as source:
        samples = _counted(source) if source.samples is None else source.samples
        duration = samples / source.format.rate
    start, stop = (silences or {}).get(path.stem.removesuffix("_mic1"), (0.0, duration))
    return [replace(recording, duration=min(stop, duration) - start, start=start)]


def _counted(source: Source) -> int:
    count = 0
    while samples := source.read(_READ_SAMPLES).shape[1]:
        count += samples
    return count
