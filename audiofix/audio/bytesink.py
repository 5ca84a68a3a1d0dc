"""Bytes to a file or a pipe; nothing half-written ever bears the real name."""

import sys
from pathlib import Path
from typing import BinaryIO

from audiofix.audio.destination import (
    Destination,
    File,
    Pipe,
    is_special,
    open_special,
)
from audiofix.audio.remote import Upload, url_of
from audiofix.audio.sink import check_target
from audiofix.files import output_error


class ByteSink:
    """One output of bytes. Use it in a `with`: it commits on success and aborts on an exception."""

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Open a file, or standard output for `-`.

        Raises:
            UsageError: binary would go to a terminal.
            OutputError: the file exists or cannot be made.
        """
        check_target(path, overwrite=overwrite)
        target = None if str(path) == "-" else Path(path)
        url = url_of(path)
        self.name = url or str(target or "standard output")
        self._is_file = target is not None and not is_special(target)
        self._stream: BinaryIO
        self._destination: Destination
        if url:
            self._destination = upload = Upload(url)
            self._stream = upload.stream
        elif target and self._is_file:
            self._destination = file = File(target, overwrite=overwrite)
            self._stream = file.stream
        else:
            self._stream = open_special(target) if target else sys.stdout.buffer
            self._destination = Pipe(self._stream)

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        try:
            self._stream.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise output_error(self.name, error) from error

    def flush(self) -> None:
        """Send on what was written, where somebody may be waiting for it."""
        if not self._is_file:
            self._stream.flush()

    def commit(self) -> None:
        """Finish the output and give it its name."""
        try:
            self._stream.flush()
            self._destination.commit(self._stream)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.abort()
            raise output_error(self.name, error) from error

    def abort(self) -> None:
        """Drop what was written to a file. What went into a pipe is gone."""
        self._destination.abort(self._stream)

    def __enter__(self) -> "ByteSink":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()
