"""How a run tells what it is doing, to whoever watches."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Tick(Protocol):
    """Is told how much is done, and a note beside it."""

    def __call__(self, done: float, note: str = "") -> None:
        """Show it."""
        ...


class Bar(Protocol):
    """Opens a progress bar; yields None where none is shown."""

    def __call__(
        self, title: str, total: float | None, unit: str, start: float = 0.0
    ) -> AbstractContextManager[Tick | None]:
        """Open a bar.

        Args:
            title: stands before the bar.
            total: what is to be done, in `unit`; None where nobody knows.
            unit: a thing that is counted, with a space before it.
            start: what was done before, of which the speed knows nothing.
        """
        ...


@contextmanager
def no_bar(title: str, total: float | None, unit: str, start: float = 0.0) -> Iterator[Tick | None]:
    """Show nothing."""
    del title, total, unit, start
    yield None
