"""Taking one file out of a zip archive, whatever the archive says of itself."""

import fnmatch
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from audiofix.errors import CheckpointError
from audiofix.files import NewFile

_MOST_EXPANSION = 100
"""Weights barely shrink in a zip; what expands more than this is no checkpoint."""

_FREE_BYTES = 1 << 20
"""Small texts, such as a configuration, may expand more."""

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    OSError, ValueError, OverflowError,
)  # fmt: skip
"""What reading a zip raises where its bytes make no sense."""

_BLOCK_BYTES = 1 << 20


def extract(archive: Path, pattern: str, target: Path) -> None:
    """Copy the first member whose name matches to `target`; no name in the archive is used.

    Args:
        archive: a zip file.
        pattern: as in `fnmatch`; may begin at any point of the member's name.
        target: the file to write, replaced if it exists.

    Raises:
        CheckpointError: it is no zip, is damaged or encrypted, has no such member, or the member
            expands beyond reason.
        OutputError: `target` cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            member = _find(opened, pattern)
            if member is None:
                raise CheckpointError(
                    f"{archive}: holds no {pattern}: name the file with `audiofix models import`"
                )
            if member.file_size > _FREE_BYTES + _MOST_EXPANSION * member.compress_size:
                raise CheckpointError(
                    f"{archive}: {member.filename} expands to {member.file_size} bytes: refused"
                )
            with opened.open(member) as source, NewFile(target, overwrite=True) as new:
                for block in _blocks(source):  # zipfile stops at the size it checked
                    new.file.write(block)
    except _DAMAGED as error:
        raise CheckpointError(
            f"{archive}: not a zip archive, or damaged ({error}): fetch it again"
        ) from error


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    try:
        while block := source.read(_BLOCK_BYTES):
            yield block
    except OSError as error:
        raise zipfile.BadZipFile(str(error)) from error


def _find(archive: zipfile.ZipFile, pattern: str) -> zipfile.ZipInfo | None:
    for member in sorted(archive.infolist(), key=lambda one: one.filename):
        if fnmatch.fnmatchcase(f"/{member.filename}", f"*{pattern}"):
            return member
    return None
