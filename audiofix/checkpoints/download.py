"""Fetch one file over HTTP: resumed, verified, and never half there under its real name."""

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

import requests
import urllib3

from audiofix.errors import CheckpointError

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
"""Called with the bytes there are and the bytes there will be, if known."""

_TRIES_WITHOUT_A_BYTE = 4
_TIMEOUT_SECONDS = (10, 60)
_BLOCK_BYTES = 1 << 20
_PARTIAL, _OK, _RANGE_REFUSED = 206, 200, 416


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None,
    size: int | None,
    progress: Progress | None = None,
) -> str:
    """Fetch `url` to `path`, continuing what an earlier try left, and return its sha256.

    The caller holds the lock. What is there so far lies in `<name>.part`, and the server's tag for
    it in `<name>.etag`: a file that changed on the server is fetched from its beginning.

    Raises:
        CheckpointError: the server cannot be reached, or the file is not the one expected.
    """
    part, tag = path.with_name(path.name + ".part"), path.with_name(path.name + ".etag")
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch_rest(url, part, tag, progress)
            break
        except requests.HTTPError as error:
            status = error.response.status_code
            raise CheckpointError(
                f"{url}: the server answers {status}: set AUDIOFIX_MIRROR, or import the file with "
                "`audiofix models import FILE`"
            ) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, _Cut) as error:
            after = part.stat().st_size if part.exists() else 0
            failures = 0 if after > before else failures + 1
            if failures == _TRIES_WITHOUT_A_BYTE:
                raise CheckpointError(
                    f"{url}: cannot be fetched ({_reason(error)}): try again to resume, or import "
                    "the file with `audiofix models import FILE`"
                ) from error
            log.info("%s: connection lost at byte %d, resuming", url, after)
    found = _checked(url, part, sha256, size)
    part.replace(path)
    tag.unlink(missing_ok=True)
    return found


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Cut(Exception):
    """The connection ended before the promised end."""


def _fetch_rest(url: str, part: Path, tag: Path, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    known_tag = tag.read_text() if tag.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if have and known_tag:
        headers |= {"Range": f"bytes={have}-", "If-Range": known_tag}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
        if response.status_code == _RANGE_REFUSED:
            part.unlink()  # all of it is there already, or it is another file: start afresh
            raise _Cut("the server refuses the range")
        response.raise_for_status()
        resumed = response.status_code == _PARTIAL and _starts_at(response, have)
        start = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        tag.write_text(response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        with part.open("r+b" if resumed else "wb") as file:
            file.seek(start)
            done = start
            # read1 hands out what has come: a cut connection loses nothing that was received.
            while block := response.raw.read1(_BLOCK_BYTES):
                file.write(block)
                done += len(block)
                if progress:
                    progress(done, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done < total:
        raise _Cut(f"{done} of {total} bytes came")


def _starts_at(response: requests.Response, position: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {position}-")


def _checked(url: str, part: Path, sha256: str | None, size: int | None) -> str:
    found = sha256_of(part)
    wrong_size = size is not None and part.stat().st_size != size
    if wrong_size or (sha256 is not None and found != sha256):
        bytes_there = part.stat().st_size
        part.unlink()
        expected = f"{size} bytes" if wrong_size else f"sha256 {sha256}"
        raise CheckpointError(
            f"{url}: not the file expected ({bytes_there} bytes, sha256 {found}; should have "
            f"{expected}): deleted; try again or set AUDIOFIX_MIRROR"
        )
    return found


def _reason(error: Exception) -> str:
    """Return what the innermost of a chain of network errors says."""
    while error.args and isinstance(error.args[-1], Exception):
        error = error.args[-1]
    inner = getattr(error, "reason", None)
    return str(inner or error).rsplit(": ", 1)[-1]
