"""Reading bytes from files and pipes: whole requests, and a look ahead."""

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from audiofix.audio.remote import open_remote, url_of
from audiofix.errors import InputError

_SKIP_BYTES = 1 << 16


class ByteStream:
    """A byte stream whose reads are whole: a pipe's short reads are asked again."""

    def __init__(self, raw: BinaryIO, size: int | None) -> None:
        """Read from `raw`; `size` is the file's size, None for a pipe."""
        self._raw = raw
        self._ahead = b""
        self.size = size
        self.position = 0

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes without taking them, fewer only at the end."""
        self._ahead += self._take(count - len(self._ahead))
        return self._ahead[:count]

    def read(self, count: int = -1) -> bytes:
        """Return the next `count` bytes, fewer only at the end; -1 for all."""
        if count < 0:
            data = self._ahead + self._raw.read()
            self._ahead = b""
        else:
            data, self._ahead = self._ahead[:count], self._ahead[count:]
            data += self._take(count - len(data))
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Pass over `count` bytes, in bounded memory; in a file no further than its end."""
        if self.size is not None and count > len(self._ahead):
            count = min(count, max(0, self.size - self.position))
            self._raw.seek(count - len(self._ahead), os.SEEK_CUR)
            self._ahead = b""
            self.position += count
            return
        while count > 0 and (data := self.read(min(count, _SKIP_BYTES))):
            count -= len(data)

    def close(self) -> None:
        """Close the stream beneath."""
        self._raw.close()

    def _take(self, count: int) -> bytes:
        parts = []
        while count > 0 and (data := self._raw.read(count)):
            parts.append(data)
            count -= len(data)
        return b"".join(parts)

    def __enter__(self) -> "ByteStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def name_of(path: str | Path) -> str:
    """Return what messages call an input."""
    return "standard input" if str(path) == "-" else url_of(path) or str(path)


def open_bytes(path: str | Path) -> ByteStream:
    """Open a file, a URL, or standard input for `-`.

    Raises:
        InputError: it cannot be read.
    """
    if url := url_of(path):
        return ByteStream(open_remote(url), None)
    try:
        # Standard input's own descriptor, not a copy of it: nothing else here reads it.
        raw: BinaryIO = (
            os.fdopen(os.dup(sys.stdin.fileno()), "rb")
            if str(path) == "-"
            else Path(path).open("rb")
        )
    except OSError as error:
        raise InputError(
            f"{name_of(path)}: {error.strerror}: name a file that can be read"
        ) from error
    status = os.fstat(raw.fileno())
    regular = stat.S_ISREG(status.st_mode) and str(path) != "-"
    return ByteStream(raw, status.st_size if regular else None)
