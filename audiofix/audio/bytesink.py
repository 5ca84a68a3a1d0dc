"""Bytes to a file or a pipe; nothing half-written ever bears the real name."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from audiofix.audio.sink import PART, check_target, is_special, open_special, output_error


class ByteSink:
    """One output of bytes. Use it in a `with`: it commits on success and aborts on an exception."""

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Open a file, or standard output for `-`.

        Raises:
            UsageError: binary would go to a terminal.
            OutputError: the file exists or cannot be made.
        """
        check_target(path, None, overwrite=overwrite)
        target = None if str(path) == "-" else Path(path)
        self.name = str(target or "standard output")
        self._path: Path | None = None
        self._stream: BinaryIO = sys.stdout.buffer
        if target and is_special(target):
            self._stream = open_special(target)
        elif target:
            self._path = target
            self._part = target.with_name(target.name + PART)
            try:
                self._stream = self._part.open("wb")
            except OSError as error:
                raise output_error(self.name, error) from error

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
        if self._path is None:
            self._stream.flush()

    def commit(self) -> None:
        """Finish the output and give it its name."""
        try:
            self._stream.flush()
            if self._path:
                os.fsync(self._stream.fileno())
            if self._stream is not sys.stdout.buffer:
                self._stream.close()
            if self._path:
                self._part.replace(self._path)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.abort()
            raise output_error(self.name, error) from error

    def abort(self) -> None:
        """Drop what was written to a file. What went into a pipe is gone."""
        if self._stream is sys.stdout.buffer:
            return
        with suppress(OSError):
            self._stream.close()
        if self._path:
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> "ByteSink":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()
