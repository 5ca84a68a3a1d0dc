"""Which recordings an evaluation uses."""

import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from audiofix.audio.tree import recordings


def chosen_recordings(data: Path, split: str, patterns: Sequence[str]) -> dict[str, Path]:
    """Return the recordings of a manifest's split, or of a folder, by name.

    Args:
        data: the manifest or the folder.
        split: of the manifest.
        patterns: see `is_included`.

    Raises:
        InputError: there is no such manifest or folder.
    """
    return {name: path for name, path in _named(data, split) if is_included(name, patterns)}


def is_included(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a recording's name fits one of the patterns, as `speech48/*`; none fit all."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns or ("*",))


def _named(data: Path, split: str) -> Iterator[tuple[str, Path]]:
    if data.is_dir():
        yield from recordings(data).items()
        return
    from audiofix.trainers.data.manifest import read_manifest

    for recording in read_manifest(data, split=split):
        place = Path(os.path.relpath(recording.path, data.parent))
        yield place.with_suffix("").as_posix(), recording.path
