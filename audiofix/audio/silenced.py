"""Libraries that print to standard error: what they say is caught, and told once."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

log = logging.getLogger(__name__)

_STDERR = 2


class Silenced:
    """Catches what a library prints while it works on one file, whoever's descriptor 2 that is."""

    def __init__(self, name: str) -> None:
        """Name the file that the library works on."""
        self._name = name
        self._caught = cast(BinaryIO, tempfile.TemporaryFile())

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Keep descriptor 2 away while the block runs."""
        try:
            own = os.dup(_STDERR)
        except OSError:  # closed: nobody would see it
            yield
            return
        os.dup2(self._caught.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(own, _STDERR)
            os.close(own)

    def close(self) -> None:
        """Tell, once, what was printed."""
        self._caught.seek(0)
        lines = [line.strip() for line in self._caught.read().decode(errors="replace").splitlines()]
        self._caught.close()
        said = [line for line in lines if line]
        if said:
            log.warning("%s: damaged in %d places or more: %s", self._name, len(said), said[0])
