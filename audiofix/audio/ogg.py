"""Whether an Ogg stream has its end (RFC 3533)."""

import os
from typing import BinaryIO

_LARGEST_PAGE = 27 + 255 + 255 * 255
_LAST_PAGE_FLAG = 4


def is_whole(file: BinaryIO) -> bool:
    """Return whether the last page of a seekable file is marked as the last. Its place changes."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LARGEST_PAGE))
    tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & _LAST_PAGE_FLAG)
