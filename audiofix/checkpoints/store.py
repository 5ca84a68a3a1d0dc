"""The checkpoint store: what is on this machine, and how it got there.

<cache>/downloads/FILE          what was fetched, FILE.sha256 beside it
<cache>/models/NAME.safetensors what was converted or imported, NAME.sha256 beside it
<cache>/locks/                  one lock a file; the system frees it when its holder dies
"""

import fnmatch
import logging
import os
import zipfile
from collections.abc import Collection
from importlib.resources import as_file, files
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock

from audiofix.checkpoints.catalogue import Entry, entries, entry
from audiofix.checkpoints.download import Progress, download, sha256_of
from audiofix.errors import CheckpointError

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the store's folder: `AUDIOFIX_CACHE`, else the user's cache."""
    chosen = os.environ.get("AUDIOFIX_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("audiofix"))


def is_offline(offline: bool | None = None) -> bool:
    """Tell whether the network may not be used; None asks `AUDIOFIX_OFFLINE`."""
    if offline is not None:
        return offline
    return os.environ.get("AUDIOFIX_OFFLINE", "") not in ("", "0")


def lock(name: str) -> FileLock:
    """Return the lock that guards one file of the store, across processes and kills."""
    folder = cache_folder() / "locks"
    _make(folder)
    return FileLock(folder / f"{name}.lock")


def model_path(name: str) -> Path:
    """Return where the converted or imported checkpoint of this name lies, or would lie."""
    if name in entries() and (shipped := entries()[name].shipped):
        with as_file(files(__package__) / "shipped" / shipped) as path:
            return path
    if PurePosixPath(name).name != name or name.startswith("."):
        raise CheckpointError(f"model {name}: not a name: use letters, digits and dashes")
    return cache_folder() / "models" / f"{name}.safetensors"


def is_present(name: str) -> bool:
    """Tell whether a checkpoint lies on this machine, ready to be opened."""
    return model_path(name).exists()


def imported() -> list[str]:
    """Return the names of models that are on this machine and not in the catalogue."""
    found = (cache_folder() / "models").glob("*.safetensors")
    return sorted(path.stem for path in found if path.stem not in entries())


def default_entry(
    verb: str, rate: int, systems: Collection[str], *, denoises: bool = False
) -> Entry | None:
    """Return the entry that `verb` takes when the user names none, None if there is none here.

    A pulled one goes before a shipped one; then the nearest rate not below `rate`, else the
    nearest below.

    Args:
        verb: the task.
        rate: samples per second that the result is wanted at.
        systems: those that can do it.
        denoises: whether it must leave noise out; one that does is never taken unasked.
    """
    candidates = [
        candidate
        for candidate in entries().values()
        if verb in candidate.verbs
        and candidate.system in systems
        and bool(candidate.config.get("denoises")) == denoises
        and is_present(candidate.name)
    ]

    def order(candidate: Entry) -> tuple[bool, bool, int]:
        distance = candidate.rate - rate
        return (candidate.shipped is not None, distance < 0, abs(distance))

    return min(candidates, key=order, default=None)


def fetch(
    name: str, *, offline: bool | None = None, progress: Progress | None = None
) -> dict[str, Path]:
    """Return the files of a catalogue entry, part -> path, fetching them first if need be.

    Raises:
        UnknownModel: the catalogue does not have it.
        CheckpointError: it cannot be fetched, or is not what it should be.
    """
    wanted = entry(name)
    path = _download_path(wanted)
    with lock(path.name):
        if not path.exists():
            _fetch_file(wanted, path, offline, progress)
        if not wanted.members:
            return {"weights": path}
        return _extract(wanted, path)


def record(path: Path) -> str:
    """Write a file's sha256 beside it and return it."""
    digest = sha256_of(path)
    _replace_text(_digest_path(path), digest)
    return digest


def verify(name: str) -> list[tuple[Path, bool]]:
    """Hash what is there of a model again: each file, and whether it is still what it was."""
    candidates = [model_path(name)]
    if name in entries():
        candidates.append(_download_path(entry(name)))
    found = [
        (path, sha256_of(path) == _digest_path(path).read_text().strip())
        for path in candidates
        if path.exists() and _digest_path(path).exists()
    ]
    if not found:
        raise CheckpointError(f"{name}: not on this machine: `audiofix models pull {name}`")
    return found


def remove(name: str) -> list[Path]:
    """Delete a model from the cache, and its download unless another model lives in it.

    Raises:
        CheckpointError: there is nothing to delete, or the model belongs to the package.
    """
    if name in entries() and entry(name).shipped:
        raise CheckpointError(f"{name}: comes with audiofix: it cannot be removed")
    doomed = [model_path(name)]
    if name in entries():
        shared = _download_path(entry(name))
        others = [e for e in entries().values() if e.urls == entry(name).urls and e.name != name]
        if not any(model_path(other.name).exists() for other in others):
            doomed += [shared, *shared.parent.glob(f"{shared.name}.*")]
    removed = [path for path in doomed if path.exists()]
    if not removed:
        raise CheckpointError(f"{name}: not on this machine: nothing to remove")
    for path in removed:
        path.unlink(missing_ok=True)  # a digest may have gone with its file
        _digest_path(path).unlink(missing_ok=True)
    return removed


def _fetch_file(wanted: Entry, path: Path, offline: bool | None, progress: Progress | None) -> None:
    if is_offline(offline):
        raise CheckpointError(
            f"{wanted.name}: not on this machine, and offline: fetch it online with "
            f"`audiofix models pull {wanted.name}`, or import a file"
        )
    _make(path.parent)
    size = f"{wanted.bytes / 1e6:.0f} MB" if wanted.bytes else "size unknown"
    known = _digest_path(path)
    expected = wanted.sha256 or (known.read_text().strip() if known.exists() else None)
    urls = _urls(wanted)
    log.warning("fetching %s (%s, licence: %s) from %s", wanted.name, size, wanted.licence, urls[0])
    for number, url in enumerate(urls, 1):
        try:
            download(url, path, sha256=expected, size=wanted.bytes, progress=progress)
            break
        except CheckpointError as error:
            if number == len(urls):
                raise
            log.warning("%s; trying the next address", error)
    record(path)


def _urls(wanted: Entry) -> list[str]:
    mirror = os.environ.get("AUDIOFIX_MIRROR")
    if mirror:
        return [f"{mirror.rstrip('/')}/{_file_name(url)}" for url in wanted.urls[:1]]
    return list(wanted.urls)


def _file_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name


def _download_path(wanted: Entry) -> Path:
    # Names such as pytorch_model.bin are not unique: the source's last word goes before them.
    origin = PurePosixPath(urlsplit(wanted.source).path).name
    name = _file_name(wanted.urls[0]) if wanted.urls else wanted.name
    return cache_folder() / "downloads" / f"{origin}-{name}"


def _extract(wanted: Entry, archive: Path) -> dict[str, Path]:
    """Copy an entry's members out of its archive, under names of ours."""
    parts = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for part, patterns in wanted.members.items():
                member = _find(opened.namelist(), patterns)
                if member is None:
                    raise CheckpointError(
                        f"{wanted.name}: {archive.name} holds no {patterns[0]}: "
                        "name the file with `audiofix models import FILE`"
                    )
                target = archive.parent / f"{wanted.name}.{part}{PurePosixPath(member).suffix}"
                temporary = target.with_name(target.name + ".part")
                temporary.write_bytes(opened.read(member))
                temporary.replace(target)
                parts[part] = target
    except zipfile.BadZipFile as error:
        raise CheckpointError(
            f"{wanted.name}: {archive} is not a zip archive: "
            f"`audiofix models remove {wanted.name}` and pull it again"
        ) from error
    return parts


def _find(names: list[str], patterns: list[str]) -> str | None:
    for pattern in patterns:
        for name in sorted(names):
            if fnmatch.fnmatchcase(f"/{name}", f"*{pattern}"):
                return name
    return None


def _digest_path(path: Path) -> Path:
    return (
        path.with_suffix(".sha256")
        if path.suffix == ".safetensors"
        else path.with_name(path.name + ".sha256")
    )


def _replace_text(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text + "\n")
    temporary.replace(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"{folder}: cannot be made ({error.strerror}): set AUDIOFIX_CACHE to another folder"
        ) from error
