"""The checkpoint store: what is on this machine, and how it got there.

<cache>/downloads/FILE          what was fetched, FILE.sha256 beside it once it proved to be a model
<cache>/models/NAME.safetensors what was converted or imported, NAME.sha256 beside it
<cache>/locks/                  one lock a file; the system frees it when its holder dies
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock

from audiofix.checkpoints.archive import extract
from audiofix.checkpoints.catalogue import Entry, Part, entries, entry
from audiofix.checkpoints.digest import digest_path, record, recorded, sha256_of
from audiofix.errors import CheckpointError, OutputError
from audiofix.files import NewFile, output_error, write_bytes

if TYPE_CHECKING:
    from audiofix.checkpoints.download import Progress

log = logging.getLogger(__name__)

Convert = Callable[[Entry, Mapping[str, Path], Path], None]
"""Reads the parts of an entry and writes them to a path as one model in safetensors."""


def cache_folder() -> Path:
    """Return the store's folder: `AUDIOFIX_CACHE`, else the user's cache."""
    chosen = os.environ.get("AUDIOFIX_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("audiofix"))


def is_offline(offline: bool | None = None) -> bool:
    """Tell whether the network may not be used; None asks `AUDIOFIX_OFFLINE`."""
    if offline is not None:
        return offline
    return os.environ.get("AUDIOFIX_OFFLINE", "") not in ("", "0")


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


def ready(
    name: str, convert: Convert, *, offline: bool | None = None, progress: "Progress | None" = None
) -> Path:
    """Return the converted model of a catalogue entry, fetching and converting it if need be.

    A download counts as what it should be when its hash is the stated one, or else when it could be
    converted; one that could not is deleted.

    Raises:
        UnknownModel: the catalogue does not have it.
        CheckpointError: it cannot be fetched, or is not what it should be.
        OutputError: the cache cannot be written.
    """
    path = model_path(name)
    if path.exists():
        return path
    wanted = entry(name)
    with lock(name):
        if path.exists():
            return path
        parts = fetch(name, offline=offline, progress=progress)
        try:
            keep(name, lambda new: convert(wanted, parts, new))
        except CheckpointError as error:
            if doomed := _discard_unproven(wanted):
                raise CheckpointError(
                    f"{name}: {', '.join(doomed)} sent no such model ({error}): deleted; try "
                    "again later, or set AUDIOFIX_MIRROR"
                ) from error
            raise
        finally:
            for part, extracted in parts.items():
                if wanted.files[part].member:
                    extracted.unlink(missing_ok=True)  # the archive still has it
        for download_path in _downloads(wanted):
            record(download_path)
    return path


def keep(name: str, write: Callable[[Path], None], *, overwrite: bool = True) -> Path:
    """Write a model into the store under its name and return its path.

    Its digest is there before it is, so that no kill leaves a model that nothing vouches for.

    Args:
        name: of the model.
        write: writes it to the path that it is given.
        overwrite: whether it may replace one of that name.

    Raises:
        OutputError: the cache cannot be written.
    """
    path = model_path(name)
    _make(path.parent)
    with NewFile(path, overwrite=overwrite) as new:
        write(new.part)
        write_bytes(digest_path(path), f"{sha256_of(new.part)}\n".encode(), overwrite=True)
    return path


def fetch(
    name: str, *, offline: bool | None = None, progress: "Progress | None" = None
) -> dict[str, Path]:
    """Return the files of a catalogue entry, part -> path, fetching first what is not there.

    Raises:
        UnknownModel: the catalogue does not have it.
        CheckpointError: it cannot be fetched, or is not what it should be.
        OutputError: the cache cannot be written.
    """
    wanted = entry(name)
    before = 0
    for path, part in _downloads(wanted).items():
        with lock(path.name):
            if not _is_there(path, part):
                _fetch_file(wanted, part, path, offline, progress and _shifted(progress, before))
        before += path.stat().st_size
    parts = {}
    for name_of_part, part in wanted.files.items():
        path = _download_path(wanted, part)
        if part.member is None:
            parts[name_of_part] = path
            continue
        target = path.parent / f"{wanted.name}.{name_of_part}{PurePosixPath(part.member).suffix}"
        try:
            extract(path, part.member, target)
        except CheckpointError:
            _discard_unproven(wanted)
            raise
        parts[name_of_part] = target
    return parts


def verify(name: str) -> list[tuple[Path, bool]]:
    """Hash what is there of a model again: each file, and whether it is still what it was."""
    model = model_path(name)
    found = [(model, sha256_of(model) == recorded(model))] if model.exists() else []
    for path, part in _downloads(entry(name)).items() if name in entries() else ():
        expected = recorded(path) or part.sha256
        if path.exists() and expected:
            found.append((path, sha256_of(path) == expected))
    if not found:
        raise CheckpointError(f"{name}: not on this machine: `audiofix models pull {name}`")
    return found


def remove(name: str) -> list[Path]:
    """Delete a model from the cache, and its downloads unless another model lives in them.

    Raises:
        CheckpointError: there is nothing to delete, or the model belongs to the package.
    """
    doomed = [model_path(name)]
    if name in entries():
        wanted = entry(name)
        if wanted.shipped:
            raise CheckpointError(f"{name}: comes with audiofix: it cannot be removed")
        used = {
            path
            for other in entries().values()
            if other.name != name and not other.shipped and is_present(other.name)
            for path in _downloads(other)
        }
        for path in _downloads(wanted):
            if path not in used:
                doomed += [path, *path.parent.glob(f"{path.name}.*")]
    removed = [path for path in doomed if path.exists()]
    if not removed:
        raise CheckpointError(f"{name}: not on this machine: nothing to remove")
    try:
        for path in removed:
            path.unlink(missing_ok=True)  # a digest may have gone with its file
            digest_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    return removed


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Guard one file of the store, across processes and kills.

    Raises:
        OutputError: the cache cannot be written.
    """
    folder = cache_folder() / "locks"
    _make(folder)
    guard = FileLock(folder / f"{name}.lock")
    try:
        guard.acquire()
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}): set AUDIOFIX_CACHE to another folder"
        ) from error
    try:
        yield
    finally:
        guard.release()


def _is_there(path: Path, part: Part) -> bool:
    """Tell whether a download is there; one that a kill left before it was proved is hashed."""
    if not path.exists():
        return False
    if recorded(path) or part.sha256 is None or sha256_of(path) == part.sha256:
        return True
    path.unlink()
    return False


def _fetch_file(
    wanted: Entry, part: Part, path: Path, offline: bool | None, progress: "Progress | None"
) -> None:
    if is_offline(offline):
        raise CheckpointError(
            f"{wanted.name}: not on this machine, and offline: fetch it online with "
            f"`audiofix models pull {wanted.name}`, or import a file"
        )
    from audiofix.checkpoints.download import download  # requests: a tenth of a second

    _make(path.parent)
    size = f"{part.bytes / 1e6:.0f} MB" if part.bytes else "size unknown"
    expected = part.sha256 or recorded(path)
    urls = _urls(part)
    log.warning("fetching %s (%s, licence: %s) from %s", wanted.name, size, wanted.licence, urls[0])
    for number, url in enumerate(urls, 1):
        try:
            download(url, path, sha256=expected, size=part.bytes, progress=progress)
            break
        except CheckpointError as error:
            if number == len(urls):
                raise
            log.warning("%s; trying the next address", error)


def _shifted(progress: "Progress", before: int) -> "Progress":
    """Return the progress of one file as that of all, of which `before` bytes are there."""
    return lambda done, total: progress(before + done, None if total is None else before + total)


def _discard_unproven(wanted: Entry) -> list[str]:
    """Delete downloads of which nothing says that they are what they should be; name their URLs."""
    discarded = []
    for path, part in _downloads(wanted).items():
        if path.exists() and part.sha256 is None and recorded(path) is None:
            path.unlink()
            discarded.append(_urls(part)[0])
    return discarded


def _urls(part: Part) -> list[str]:
    mirror = os.environ.get("AUDIOFIX_MIRROR")
    if mirror:
        return [f"{mirror.rstrip('/')}/{_file_name(url)}" for url in part.urls[:1]]
    return list(part.urls)


def _file_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name


def _downloads(wanted: Entry) -> dict[Path, Part]:
    """Return the files to fetch; several parts may lie in one archive."""
    return {_download_path(wanted, part): part for part in wanted.files.values()}


def _download_path(wanted: Entry, part: Part) -> Path:
    # Names such as pytorch_model.bin are not unique: the source's last word goes before them.
    origin = PurePosixPath(urlsplit(wanted.source).path).name
    return cache_folder() / "downloads" / f"{origin}-{_file_name(part.urls[0])}"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made ({error.strerror}): set AUDIOFIX_CACHE to another folder"
        ) from error
