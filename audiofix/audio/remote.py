"""Files in object stores and on the web, through fsspec: `s3://bucket/x.wav`, `https://...`.

A `Path` swallows one of the slashes of a URL, and `url_of` puts it back: so remote names go
wherever local ones go. Credentials come from the environment, as each store's library reads it.
"""

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from audiofix.audio.types import EXTENSIONS
from audiofix.errors import AudiofixError, InputError, OutputError, UsageError

_SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "http", "https", "memory")
_URL = re.compile(rf"({'|'.join(_SCHEMES)}):/+(.+)", re.DOTALL)


def url_of(path: str | Path) -> str | None:
    """Return the URL that a name or path stands for, None for a local one.

    >>> url_of(Path("s3://bucket/x.wav")), url_of("x.wav")
    ('s3://bucket/x.wav', None)
    """
    found = _URL.fullmatch(str(path))
    return f"{found[1]}://{found[2]}" if found else None


def open_remote(url: str) -> BinaryIO:
    """Open a remote file for reading, as it streams.

    Raises:
        InputError: it is missing or must not be read.
        UsageError: fsspec, or the library for this kind of store, is not installed.
    """
    with _told(url, InputError):
        system, name = _system(url)
        return _Reader(system.open(name, "rb"), url)  # type: ignore[return-value]


def open_text(path: Path, errors: str = "strict") -> TextIO:
    """Open a text in UTF-8, here or in a store, with its line ends as they are.

    Args:
        path: of the file, or its URL.
        errors: what becomes of other bytes; see `bytes.decode`.

    Raises:
        InputError: a remote one is missing or must not be read.
        OSError: a local one is missing or must not be read.
    """
    if url := url_of(path):
        return io.StringIO(open_remote(url).read().decode("utf-8", errors), newline="")
    return path.open(newline="", encoding="utf-8", errors=errors)


def is_there(path: Path) -> bool:
    """Tell whether there is a file, here or in a store."""
    url = url_of(path)
    return remote_exists(url) if url else path.exists()


def remote_exists(url: str) -> bool:
    """Tell whether there is a remote file.

    Raises:
        OutputError: the store cannot be asked.
    """
    with _told(url, OutputError):
        system, name = _system(url)
        return bool(system.isfile(name))


def remote_version(url: str) -> str:
    """Return what changes when the store gets another file of this name.

    Raises:
        InputError: there is no such file, or it must not be read.
    """
    with _told(url, InputError):
        system, name = _system(url)
        return str(system.ukey(name))


def read_span(path: Path, offset: int, count: int) -> bytes:
    """Return `count` bytes of a file, here or in a store, from byte `offset` on; fewer at its end.

    Raises:
        InputError: it is missing or must not be read.
    """
    url = url_of(path)
    if url:
        with _told(url, InputError):
            system, name = _system(url)
            return bytes(system.cat_file(name, start=offset, end=offset + count))
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(count)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: name a file that can be read") from error


def has_audio_name(name: str) -> bool:
    """Tell whether a name ends as those of audio files, or of codes, do.

    That is what counts in a remote folder: looking into every file would fetch them all.
    """
    return name.rpartition(".")[2].lower() in {*EXTENSIONS, "afc"}


def remote_files(
    url: str, wanted: Callable[[str], bool] = has_audio_name
) -> list[tuple[Path, Path]] | None:
    """Return the files below a remote folder with their places in it; None for a file.

    Args:
        url: of the folder.
        wanted: tells by their names which files are returned.

    Raises:
        InputError: the store cannot be asked, or has neither.
    """
    with _told(url, InputError):
        system, name = _system(url)
        if system.isfile(name):
            return None
        scheme = url.partition("://")[0]
        files = sorted(system.find(name))
        stem = name.rstrip("/") + "/"
        return [
            (Path(f"{scheme}://{file.lstrip('/')}"), Path(file.removeprefix(stem)))
            for file in files
            if wanted(file)
        ]


class Upload:
    """A `Destination`: a temporary file that is sent when it is whole, and else not at all."""

    def __init__(self, url: str, last: Callable[[Path], None] | None = None) -> None:
        """Make the temporary file; `last` is done to it when it is whole."""
        self._url = url
        self._last = last
        self._spool = tempfile.NamedTemporaryFile(prefix="audiofix-")
        self.stream = cast(BinaryIO, self._spool.file)

    def commit(self, stream: BinaryIO) -> None:
        """Send the file; the store shows it once its last part has come.

        Raises:
            OutputError: the store refused it, or the connection was cut.
        """
        stream.flush()
        path = Path(self._spool.name)
        if self._last:
            self._last(path)
        with _told(self._url, OutputError):
            system, name = _system(self._url)
            target = system.open(name, "wb")
            try:
                with path.open("rb") as whole:
                    shutil.copyfileobj(whole, target, 1 << 20)
            except BaseException:
                if hasattr(target, "discard"):
                    target.discard()  # of several parts, none stays behind
                raise
            target.close()
        self.abort(stream)

    def abort(self, stream: BinaryIO) -> None:
        """Drop the file."""
        stream.close()
        self._spool.close()


class _Reader:
    """A remote file whose faults are told as the input's."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def read(self, count: int = -1) -> bytes:
        with _told(self._url, InputError):
            return bytes(self._file.read(count))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system of a URL, and the name in it."""
    if find_spec("fsspec") is None:
        raise UsageError(f"{url}: needs fsspec: pip install 'audiofix[cloud]'")
    try:
        system, name = import_module("fsspec.core").url_to_fs(url)
    except ImportError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{url}: {reason}: pip install 'audiofix[cloud]'") from error
    return system, name


@contextmanager
def _told(url: str, kind: type[AudiofixError]) -> Iterator[None]:
    """Turn the many errors of stores and connections into one of ours."""
    try:
        yield
    except AudiofixError:
        raise
    except _failures() as error:
        what, advice = "cannot be reached", "check the network and the address"
        if isinstance(error, FileNotFoundError):
            what, advice = "not there", "check the bucket and the name"
        elif isinstance(error, PermissionError) or "redentials" in str(error):
            what, advice = "not permitted", "check the credentials in the environment"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise kind(f"{url}: {what} ({reason}): {advice}") from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what the libraries in use raise; theirs are no OSErrors."""
    kinds: list[type[Exception]] = [OSError, ValueError, RuntimeError, TimeoutError]
    for module, name in (
        ("aiohttp", "ClientError"),
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
    ):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return tuple(kinds)
