"""Checkpoint files in object stores: `-m s3://bucket/model.safetensors`.

A file is fetched when it is used first, and again when the store has another version of it:

<cache>/remote/HASH OF THE URL/HASH OF THE VERSION/FILE
"""

import logging
import shutil
from hashlib import sha256
from pathlib import Path

from audiofix.audio.remote import open_remote, remote_version
from audiofix.checkpoints.store import cache_folder, is_offline, lock
from audiofix.errors import CheckpointError, InputError
from audiofix.files import NewFile, make_folder

log = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20


def fetched(url: str, *, offline: bool | None = None) -> Path:
    """Return a local copy of a remote checkpoint file. Of several processes, one fetches it.

    Args:
        url: of the file, see `audio.remote`.
        offline: True takes the copy that was fetched last, None asks `AUDIOFIX_OFFLINE`.

    Raises:
        CheckpointError: it is missing, must not be read, or was never fetched.
        OutputError: the cache cannot be written.
        UsageError: fsspec, or the library for this kind of store, is not installed.
    """
    name = url.rpartition("/")[2]
    folder = cache_folder() / "remote" / _short(url)
    if is_offline(offline):
        copies = sorted(folder.glob(f"*/{name}"), key=lambda path: path.stat().st_mtime)
        if not copies:
            raise CheckpointError(f"{url}: not fetched yet, and --offline: run once without it")
        return copies[-1]
    try:
        with lock(f"remote-{_short(url)}"):
            path = folder / _short(remote_version(url)) / name
            if not path.exists():
                log.info("%s: fetching", url)
                _fetch(url, path)
            return path
    except InputError as error:
        raise CheckpointError(str(error)) from error


def _fetch(url: str, path: Path) -> None:
    make_folder(path.parent)
    with open_remote(url) as source, NewFile(path) as new:
        shutil.copyfileobj(source, new.file, _BLOCK_BYTES)


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
