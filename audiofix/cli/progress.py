"""Progress bars on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def open_bar(title: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr and yield the function that says how much is done."""
    with tqdm(total=total, desc=title, unit=unit, unit_scale=unit == "sample", leave=False) as bar:

        def tick(done: int) -> None:
            bar.update(done - bar.n)

        yield tick
