"""Manifests: CSV files with the columns `split,file_path,duration`, paths beside the manifest."""

import csv
from dataclasses import dataclass
from pathlib import Path

from audiofix.errors import InputError


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, or the `duration` seconds of it from second `start` on."""

    path: Path
    split: str
    duration: float
    start: float = 0.0


def read_manifest(path: Path, *, split: str) -> list[Recording]:
    """Return the recordings of one split, in the manifest's order.

    Args:
        path: the manifest.
        split: its name. Where no split has that name, one begins like it: `val`, `valid`.

    Raises:
        InputError: the manifest is missing, lacks a column, or has nothing in that split.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        recordings = [
            Recording(path.parent / row["file_path"], row["split"], float(row["duration"]))
            for row in rows
        ]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not a manifest ({error}): it needs the columns split,file_path,duration"
        ) from error
    chosen = [r for r in recordings if r.split == split] or [
        r
        for r in recordings
        if r.split and (r.split.startswith(split) or split.startswith(r.split))
    ]
    if not chosen:
        raise InputError(f"{path}: no recording in split {split}: name another split")
    return chosen
