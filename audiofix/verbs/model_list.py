"""What `audiofix models list` and `show` tell of a model."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from audiofix.errors import CheckpointError
from audiofix.printable import printable

if TYPE_CHECKING:
    from audiofix.checkpoints.catalogue import Entry

Row = Mapping[str, Any]

_MEMORY_PER_BYTE = 2
"""Weights are read from their file into tensors, and both are in memory for a moment."""


def catalogue_row(entry: "Entry") -> dict[str, Any]:
    """Return what is known of a model of the catalogue."""
    from audiofix.backends.table import system_of
    from audiofix.checkpoints import store

    present = store.is_present(entry.name)
    size = store.model_path(entry.name).stat().st_size if present else entry.bytes
    return {
        "name": entry.name,
        "system": entry.system,
        "verbs": list(entry.verbs),
        "rate": entry.rate,
        "state": "ships" if entry.shipped else "here" if present else "to fetch",
        "licence": entry.licence,
        "source": entry.source,
        "rank": entry.rank,
        "bytes": size,
        "runs_here": _runs_here(size or system_of(entry.system).largest_bytes),
        "files": {name: asdict(part) for name, part in entry.files.items()},
        "summary": entry.summary,
    }


def imported_row(name: str) -> dict[str, Any]:
    """Return what the file of an imported model says of it; one that is damaged has no verbs."""
    from audiofix.backends.table import system_of
    from audiofix.backends.weights import read_heading
    from audiofix.checkpoints import store

    path = store.model_path(name)
    size = path.stat().st_size
    try:
        heading = read_heading(path)
        verbs = list(system_of(heading.system).tasks) if heading else []
    except CheckpointError:
        heading, verbs = None, []
    return {
        "name": name,
        "system": heading and heading.system,
        "verbs": verbs,
        "rate": heading and heading.config.get("rate"),
        "state": "imported" if verbs else "damaged",
        "bytes": size,
        "runs_here": _runs_here(size),
        "file": str(path),
    }


def list_lines(rows: Sequence[Row], *, everything: bool) -> list[str]:
    """Return the list for people: a model a line, under the verbs that it is for.

    Args:
        rows: of the catalogue and of what was imported.
        everything: whether released models that are neither here nor recommended are listed, too.
    """
    shown = [row for row in rows if everything or row["state"] != "to fetch" or row["rank"]]
    width = max(len(printable(row["name"])) for row in shown)
    groups: dict[tuple[str, ...], list[str]] = {}
    for verb in dict.fromkeys(verb for row in shown for verb in row["verbs"] or ["damaged"]):
        models = tuple(_line(row, width) for row in shown if verb in (row["verbs"] or ["damaged"]))
        groups.setdefault(models, []).append(verb)  # encode and decode have the same
    lines: list[str] = []
    for models, verbs in groups.items():
        lines += [*([""] if lines else []), ", ".join(verbs), *models]
    if more := len(rows) - len(shown):
        lines += ["", f"{more} more variants: audiofix models list --all"]
    return lines


def cell(value: object) -> str:
    """Return a value as it is printed."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else printable(value)


def megabytes(size: int | None) -> str:
    """Return a size for people; what lies in an archive of many has none before it is fetched.

    >>> megabytes(2_262_312_618), megabytes(15_300)
    ('2262 MB', '0.02 MB')
    """
    if size is None:
        return "size unknown"
    return f"{size / 1e6:.{0 if size >= 1e7 else 1 if size >= 1e5 else 2}f} MB"


def _line(row: Row, width: int) -> str:
    runs = {True: "runs here", False: "needs more memory", None: ""}[row["runs_here"]]
    licence = re.split("[;,]", cell(row.get("licence")))[0]
    rate = f"{row['rate']} Hz" if row["rate"] else ""
    name = printable(row["name"])
    cells = f"{name:<{width}}  {rate:>8}  {megabytes(row['bytes']):>12}"
    return f"  {cells}  {row['state']:<8}  {runs:<9}  {licence}".rstrip()


def _runs_here(size: int | None) -> bool | None:
    """Tell whether a model fits into memory, None where that or its size is not known."""
    if size is None or not hasattr(os, "sysconf"):  # Windows
        return None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return size * _MEMORY_PER_BYTE <= memory
