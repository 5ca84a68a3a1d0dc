"""Where outputs end up: files that get their names when they are whole, pipes, devices."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from audiofix.errors import OutputError

PART = ".part"


class Destination(Protocol):
    """Where a stream ends up once it is whole."""

    def commit(self, stream: BinaryIO) -> None:
        """Finish: the stream is whole and flushed."""
        ...

    def abort(self, stream: BinaryIO) -> None:
        """Drop what can be dropped."""
        ...


class File:
    """A file that has its `.part` name until it is whole."""

    def __init__(self, path: Path, last: Callable[[Path], None] | None = None) -> None:
        """Name the file; `last` is done to the whole one before it gets its name."""
        self.part = path.with_name(path.name + PART)
        self._path = path
        self._last = last

    def commit(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        os.fsync(stream.fileno())
        stream.close()
        if self._last:
            self._last(self.part)
        self.part.replace(self._path)

    def abort(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        stream.close()
        self.part.unlink(missing_ok=True)


class Pipe:
    """Standard output, a named pipe or a device: what is written is gone."""

    def __init__(self, pipe: BinaryIO) -> None:
        """Name what is written to."""
        self._pipe = pipe

    def commit(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        self._pipe.flush()
        if self._pipe is not sys.stdout.buffer:
            self._pipe.close()

    def abort(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        if self._pipe is not sys.stdout.buffer:
            with suppress(OSError):
                self._pipe.close()


class Spool(Pipe):
    """A temporary file that goes into a pipe when it is whole."""

    def commit(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        stream.seek(0)
        shutil.copyfileobj(stream, self._pipe)
        stream.close()
        super().commit(stream)

    def abort(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        stream.close()
        super().abort(stream)


def is_special(path: Path) -> bool:
    """Tell a device or a named pipe, which must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def open_special(path: Path) -> BinaryIO:
    """Open a device or a named pipe for writing.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        return path.open("wb")
    except OSError as error:
        raise output_error(str(path), error) from error


def output_error(name: str, error: Exception) -> OutputError:
    """Return what to tell the user of an error of the system while writing `name`."""
    number = getattr(error, "errno", None)
    advice = {
        errno.ENOSPC: "free some space",
        errno.EACCES: "choose a folder that you may write to",
        errno.ENOENT: "make the folder first",
    }.get(cast(int, number), "name another file")
    return OutputError(f"{name}: {getattr(error, 'strerror', None) or error}: {advice}")
