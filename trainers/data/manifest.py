"""Manifests: CSV files with the columns `split,file_path,duration`, paths beside the manifest."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audiofix.errors import InputError


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, or the `duration` seconds of it from second `start` on.

    Attributes:
        kind: what it is, for recipes that treat speech and music differently; empty where unknown.
        band_hz: where its own band ends, if that is below half its rate.
        weight: how often it is drawn, relative to its duration, by recipes that heed it.
    """

    path: Path
    split: str
    duration: float
    start: float = 0.0
    kind: str = ""
    band_hz: float = math.inf
    weight: float = 1.0


def read_manifest(path: Path, *, split: str) -> list[Recording]:
    """Return the recordings of one split, in the manifest's order.

    The columns `kind`, `band_hz` and `weight` may be missing or empty.

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
        recordings = [_recording(row, path.parent) for row in rows]
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


def _recording(row: Mapping[str, str], folder: Path) -> Recording:
    return Recording(
        folder / row["file_path"],
        row["split"],
        float(row["duration"]),
        kind=row.get("kind") or "",
        band_hz=float(row.get("band_hz") or math.inf),
        weight=float(row.get("weight") or 1.0),
    )
