"""Where outputs end up: files that get their names when they are whole, pipes, devices."""

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, Self

import soundfile

from audiofix.errors import OutputError
from audiofix.files import NewFile, output_error


class Destination(Protocol):
    """Where a stream ends up once it is whole."""

    def commit(self, stream: BinaryIO) -> None:
        """Finish: the stream is whole and flushed."""
        ...

    def abort(self, stream: BinaryIO) -> None:
        """Drop what can be dropped."""
        ...


class File:
    """A file that has a hidden name until it is whole; see `audiofix.files`."""

    def __init__(
        self, path: Path, *, overwrite: bool, last: Callable[[Path], None] | None = None
    ) -> None:
        """Make the unfinished file; `last` is done to it when it is whole.

        Raises:
            OutputError: it cannot be made.
        """
        self._new = NewFile(path, overwrite=overwrite)
        self._last = last

    @property
    def stream(self) -> BinaryIO:
        """What to write to."""
        return self._new.file

    def commit(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        stream.flush()
        if self._last:
            self._last(self._new.part)
        self._new.commit()

    def abort(self, stream: BinaryIO) -> None:
        """See `Destination`."""
        self._new.discard()


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


class Output:
    """An output that a `with` commits on success and aborts on any exception."""

    _stream: BinaryIO
    _destination: Destination
    name: str

    def finish(self) -> None:
        """Write what comes last into the stream."""

    def commit(self) -> None:
        """Finish the output and give it its name.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        try:
            self.finish()
            self._stream.flush()
            self._destination.commit(self._stream)
        except BrokenPipeError:
            raise
        except (OSError, soundfile.LibsndfileError) as error:
            self.abort()
            raise output_error(self.name, error) from error
        except OutputError:
            self.abort()
            raise

    def abort(self) -> None:
        """Drop what was written to a file. What went into a pipe is gone."""
        self._destination.abort(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()
