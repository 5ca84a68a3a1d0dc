"""Bytes to a file or a pipe; nothing half-written ever bears the real name."""

import sys
from pathlib import Path

from audiofix.audio.destination import (
    File,
    Output,
    Pipe,
    is_special,
    open_special,
)
from audiofix.audio.remote import Upload, url_of
from audiofix.audio.sink import check_target
from audiofix.files import output_error


class ByteSink(Output):
    """One output of bytes."""

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
