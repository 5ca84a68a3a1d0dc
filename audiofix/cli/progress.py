"""Progress bars on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from audiofix.printable import printable

_SECONDS = (
    "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} s of sound [{elapsed}<{remaining}]"
)
_SECONDS_OF_A_STREAM = "{desc}: {n:.1f} s of sound [{elapsed}]"


@contextmanager
def open_bar(
    title: str, total: float | None, unit: str, start: float = 0.0
) -> Iterator[Callable[..., None]]:
    """Show a bar on stderr and yield the function that says how much is done.

    Args:
        title: stands before the bar.
        total: what is to be done, in `unit`; None where nobody knows.
        unit: `s` for seconds of sound, `B` for bytes, or a thing that is counted; empty
            where there is only the title to show.
        start: what was done before the bar opened; its speed leaves it out.
    """
    layout = None if unit else "{desc} ..."
    if unit == "s":
        layout = _SECONDS if total else _SECONDS_OF_A_STREAM
    bar: tqdm[Any] = tqdm(
        total=total,
        desc=printable(title),
        unit=unit,
        unit_scale=unit == "B",
        leave=False,
        bar_format=layout,
        initial=start,
    )
    with bar:

        def tick(done: float, note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=False)
            bar.update(done - bar.n)

        yield tick


def write_line(line: str) -> None:
    """Write a line to stderr above the bar that is shown."""
    tqdm.write(line, file=sys.stderr)
