"""What people read: log lines on stderr, their level and their colour."""

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from audiofix.printable import printable

_LEVELS = {0: logging.WARNING, 1: logging.INFO}
_NOTE = logging.WARNING + 1
"""The level of what only somebody at a terminal is told: neither quiet nor yellow."""

_COLOURS = {logging.WARNING: "33", logging.ERROR: "31"}


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        line = f"audiofix: {super().format(record)}"
        code = _COLOURS.get(record.levelno)
        return f"\x1b[{code}m{line}\x1b[0m" if code and wants_colour() else line


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines to stderr, above the bar while one is shown."""

    write_line: Callable[[str], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.write_line:
            self.write_line(self.format(record))
        else:
            super().emit(record)


def wants_colour() -> bool:
    """Tell whether stderr takes colour: `NO_COLOR`, then `FORCE_COLOR`, then the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal()


def is_terminal() -> bool:
    """Tell whether somebody reads standard error as it comes."""
    return sys.stderr is not None and sys.stderr.isatty()


class Console:
    """The process shell that verbs are given as click's context object."""

    def __init__(self) -> None:
        """Log warnings and errors to stderr until `configure` says otherwise."""
        self.verbosity = 0
        self._quiet = False
        self._progress: bool | None = None
        self._log = logging.getLogger("audiofix")
        self._handler = _Handler()
        self._handler.setFormatter(_Formatter())
        self._log.handlers[:] = [self._handler]
        self._log.propagate = False
        self._log.setLevel(logging.WARNING)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # they speak to developers

    def configure(self, *, quiet: bool, verbosity: int, progress: bool | None) -> None:
        """Set how much is said; `progress` None means bars on a terminal only."""
        self.verbosity = verbosity
        self._quiet = quiet
        self._progress = progress
        self._log.setLevel(logging.ERROR if quiet else _LEVELS.get(verbosity, logging.DEBUG))

    @contextmanager
    def bar(
        self, title: str, total: float | None, unit: str, start: float = 0.0
    ) -> Iterator[Callable[..., None] | None]:
        """Open a progress bar that is told how much is done; None where none is shown."""
        wanted = self._progress is not False and not self._quiet and is_terminal()
        if not wanted:
            yield None
            return
        from audiofix.cli.progress import open_bar, write_line

        with open_bar(title, total, unit, start) as tick:
            self._handler.write_line = write_line
            try:
                yield tick
            finally:
                self._handler.write_line = None

    def note(self, message: str) -> None:
        """Tell somebody at a terminal, unless they asked for quiet."""
        if is_terminal() and not self._quiet:
            self._log.log(_NOTE, "%s", message)

    def error(self, message: str) -> None:
        """Print one error line, whatever the verbosity."""
        self._log.error("%s", " ".join(message.split()))

    def show_traceback(self) -> None:
        """Print the traceback of the exception that is being handled."""
        traceback.print_exc()
