"""The recordings of a folder, and which of one folder belong to which of another."""

from pathlib import Path

from audiofix.audio.folder import audio_below
from audiofix.errors import InputError, UsageError


def recordings(folder: Path) -> dict[str, Path]:
    """Return every recording below `folder` by its path there, without the extension, sorted.

    Raises:
        InputError: there is none.
        UsageError: two differ in nothing but the extension.
    """
    found: dict[str, Path] = {}
    for path in audio_below(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise UsageError(f"{path} and {found[name]}: have one name: move one away")
        found[name] = path
    if not found:
        raise InputError(f"{folder}: holds no audio: name another folder")
    return found


def matched(reference: Path, estimate: Path) -> dict[str, tuple[Path | None, Path | None]]:
    """Pair two files, or two folders' recordings by name; None where the other side has more.

    Raises:
        InputError: one does not exist, or is a folder without audio.
        UsageError: one is a file, the other a folder.
    """
    for path in (reference, estimate):
        if not path.exists():
            raise InputError(f"{path}: does not exist: name a file or a folder")
    if reference.is_dir() != estimate.is_dir():
        raise UsageError(f"{reference} and {estimate}: one is a folder: name two files or two")
    if not reference.is_dir():
        return {reference.stem: (reference, estimate)}
    wanted, made = recordings(reference), recordings(estimate)
    names = sorted(wanted.keys() | made.keys())
    return {name: (wanted.get(name), made.get(name)) for name in names}
