"""Fetch one file over HTTP: resumed, verified, and never half there under its real name."""

import http.client
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from audiofix.checkpoints.digest import sha256_of
from audiofix.errors import CheckpointError
from audiofix.files import output_error

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
"""Called with the bytes there are and the bytes there will be, if known."""

_TRIES_WITHOUT_A_BYTE = 4
_BACKOFF_SECONDS = 1.0
"""Before the second try; twice as long before each after it."""
_TIMEOUT_SECONDS = (10, 60)
_BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 36
"""Of a file whose size no source states."""
_PARTIAL, _RANGE_REFUSED, _TOO_MANY, _SERVER_ERRORS = 206, 416, 429, 500
_HOPELESS = (
    requests.TooManyRedirects,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None,
    size: int | None,
    progress: Progress | None = None,
) -> None:
    """Fetch `url` to `path`, continuing what an earlier try left.

    The caller holds the lock. What is there so far lies in `<name>.part`, and what the server said
    of the file in `<name>.answer`: a file that changed on the server is fetched from its beginning.

    Raises:
        CheckpointError: the server cannot be reached, or the file is not the one expected.
        OutputError: the cache cannot be written.
    """
    target = _Target(
        path.with_name(path.name + ".part"), path.with_name(path.name + ".answer"), size
    )
    try:
        _fetch(url, target, progress)
        _check(url, target, sha256)
        target.part.replace(path)
        target.answer.unlink(missing_ok=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise CheckpointError(
            f"{url}: cannot be fetched ({_reason(error)}): try again to resume, or import "
            "the file with `audiofix models import FILE`"
        ) from error
    except OSError as error:
        raise output_error(path, error) from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server said of a file: a resumed download must hear the same."""

    tag: str
    total: int | None


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a download goes.

    Attributes:
        part: what has come so far.
        answer: an `_Answer` beside it.
        size: of the file, where its source states it.
    """

    part: Path
    answer: Path
    size: int | None

    @property
    def have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def known_answer(self) -> _Answer | None:
        try:
            found = json.loads(self.answer.read_text(encoding="utf-8"))
            return _Answer(str(found["tag"]), found["total"]) if found["tag"] else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def start_anew(self) -> None:
        self.part.unlink(missing_ok=True)
        self.answer.unlink(missing_ok=True)


class _Retry(requests.RequestException):
    """The connection ended early, or the server asks to come back."""


def _fetch(url: str, target: _Target, progress: Progress | None) -> None:
    for delay in _delays(lambda: target.have):
        time.sleep(delay)
        try:
            _fetch_rest(url, target, progress)
            return
        except _HOPELESS:
            raise
        except ValueError as error:  # an address or a header that makes no sense
            raise _Retry(str(error)) from error
        except requests.HTTPError as error:
            raise CheckpointError(
                f"{url}: the server answers {error.response.status_code}: set AUDIOFIX_MIRROR, "
                "or import the file with `audiofix models import FILE`"
            ) from error
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
        ) as error:
            log.info("%s: %s at byte %d", url, _reason(error), target.have)
            last = error
    if isinstance(last, http.client.HTTPException):
        raise _Retry(str(last)) from last
    raise last


def _delays(have: Callable[[], int]) -> Iterator[float]:
    """Yield the seconds to wait before each try, until several in a row brought nothing."""
    fruitless, before = 0, -1
    while fruitless < _TRIES_WITHOUT_A_BYTE:
        yield _BACKOFF_SECONDS * 2 ** (fruitless - 1) if fruitless else 0.0
        now = have()
        fruitless = 0 if now > max(before, 0) else fruitless + 1
        before = now


def _fetch_rest(url: str, target: _Target, progress: Progress | None) -> None:
    have, known = target.have, target.known_answer()
    headers = {"Accept-Encoding": "identity"}
    if have and known:
        headers |= {"Range": f"bytes={have}-", "If-Range": known.tag}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
        _refuse_downgrade(url, response)
        if response.status_code == _RANGE_REFUSED:
            target.start_anew()  # all of it is there already, or it is another file
            raise _Retry("the server refuses the range")
        if response.status_code >= _SERVER_ERRORS or response.status_code == _TOO_MANY:
            raise _Retry(f"the server answers {response.status_code}")
        response.raise_for_status()
        resumed = response.status_code == _PARTIAL
        answer = _answer(response)
        if resumed and (answer != known or not _starts_at(response, have)):
            target.start_anew()
            raise _Retry("the file on the server is another one by now")
        limit = target.size if target.size is not None else (answer.total or _MOST_BYTES)
        if answer.total is not None and target.size is not None and answer.total > limit:
            raise CheckpointError(_not_expected(url, f"{answer.total} bytes", f"{limit} bytes"))
        target.answer.write_text(json.dumps(asdict(answer)), encoding="utf-8")
        total = target.size or answer.total
        _receive(
            url,
            response,
            target,
            have if resumed else 0,
            limit,
            progress and (lambda done: progress(done, total)),
        )
    if answer.total is not None and target.have < answer.total:
        raise _Retry(f"{target.have} of {answer.total} bytes came")


def _receive(
    url: str,
    response: requests.Response,
    target: _Target,
    start: int,
    limit: int,
    tell: Callable[[int], None] | None,
) -> None:
    with target.part.open("r+b" if start else "wb") as file:
        file.seek(start)
        done = start
        # read1 hands out what has come: a cut connection loses nothing that was received.
        while block := response.raw.read1(_BLOCK_BYTES):
            done += len(block)
            if done > limit:
                target.start_anew()
                raise CheckpointError(_not_expected(url, "more", f"{limit} bytes"))
            file.write(block)
            if tell:
                tell(done)
        file.flush()
        os.fsync(file.fileno())


def _answer(response: requests.Response) -> _Answer:
    """Return what the headers say of the whole file."""
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    if response.status_code == _PARTIAL:
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        total = response.headers.get("Content-Length", "")
    return _Answer(tag, int(total) if total.isascii() and total.isdigit() else None)


def _starts_at(response: requests.Response, position: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {position}-")


def _refuse_downgrade(url: str, response: requests.Response) -> None:
    if urlsplit(url).scheme == "https" and urlsplit(response.url).scheme != "https":
        raise CheckpointError(
            f"{url}: redirects to {response.url}, which anybody on the way could change: "
            "import the file with `audiofix models import FILE`"
        )


def _check(url: str, target: _Target, sha256: str | None) -> None:
    found, there = sha256_of(target.part), target.have
    wrong_size = target.size is not None and there != target.size
    if wrong_size or (sha256 is not None and found != sha256):
        target.start_anew()
        expected = f"{target.size} bytes" if wrong_size else f"sha256 {sha256}"
        raise CheckpointError(_not_expected(url, f"{there} bytes, sha256 {found}", expected))


def _not_expected(url: str, found: str, expected: str) -> str:
    return (
        f"{url}: not the file expected ({found}; should have {expected}): deleted; try again or "
        "set AUDIOFIX_MIRROR"
    )


def _reason(error: Exception) -> str:
    """Return what the innermost of a chain of network errors says."""
    while error.args and isinstance(error.args[-1], Exception):
        error = error.args[-1]
    inner = getattr(error, "reason", None)
    return str(inner or error).rsplit(": ", 1)[-1]
