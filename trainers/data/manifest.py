"""Manifests: CSV files with the columns `split,file_path,duration`, paths beside the manifest."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from audiofix.audio.bytestream import name_of
from audiofix.audio.remote import open_text, url_of
from audiofix.errors import InputError
from audiofix.files import NewFile

COLUMNS = (
    "split", "file_path", "duration", "start", "offset", "bytes", "kind", "band_hz", "weight",
)  # fmt: skip
"""Of an index; the first three are needed."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a file lies in a tar shard: `bytes` from byte `offset` on."""

    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, or the `duration` seconds of it from second `start` on.

    Attributes:
        path: of the file, or its URL; a file in a tar shard is `SHARD.tar/NAME`.
        kind: what it is, for recipes that treat speech and music differently; empty where unknown.
        band_hz: where its own band ends, if that is below half its rate.
        weight: how often it is drawn, relative to its duration, by recipes that heed it.
        span: where it lies in its tar shard; None for a file of its own.
    """

    path: Path
    split: str
    duration: float
    start: float = 0.0
    kind: str = ""
    band_hz: float = math.inf
    weight: float = 1.0
    span: Span | None = None


def read_manifest(path: Path, *, split: str, share: tuple[int, int] = (0, 1)) -> list[Recording]:
    """Return the recordings of one split, in the manifest's order.

    All columns but the first three may be missing or empty. Only the recordings that are returned
    are ever in memory together.

    Args:
        path: the manifest, or its URL.
        split: its name. Where no split has that name, one begins like it: `val`, `valid`.
        share: `rank` and `size`: of the split's recordings only every `size`-th from the `rank`-th.

    Raises:
        InputError: the manifest is missing, lacks a column, or has nothing in that split.
    """
    try:
        with _rows(path) as rows:
            names = {row["split"] for row in rows}
        wanted = {split} & names or {name for name in names if name and _is_short(name, split)}
        with _rows(path) as rows:
            chosen = (row for row in rows if row["split"] in wanted)
            found = [
                _recording(row, path.parent) for row in islice(chosen, share[0], None, share[1])
            ]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not a manifest ({error}): it needs the columns split,file_path,duration"
        ) from error
    if not found:
        raise InputError(f"{path}: no recording in split {split}: name another split")
    return found


def write_manifest(path: Path, recordings: Iterable[Recording]) -> int:
    """Write recordings as a manifest, one by one, and return how many there are.

    Args:
        path: of the new file; paths below its folder are written relative to that.
        recordings: the rows.

    Raises:
        OutputError: it cannot be written, or exists.
    """
    count = 0
    with NewFile(path) as new:
        lines = io.TextIOWrapper(new.file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for one in recordings:
            count += 1
            span = (one.span.offset, one.span.bytes) if one.span else ("", "")
            band_hz = "" if math.isinf(one.band_hz) else one.band_hz
            name, start = _name_beside(one.path, path.parent), one.start or ""
            writer.writerow(
                (one.split, name, one.duration, start, *span, one.kind, band_hz, one.weight)
            )
        lines.detach()
    return count


def _is_short(name: str, split: str) -> bool:
    return name.startswith(split) or split.startswith(name)


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[Mapping[str, str]]]:
    with open_text(path) as lines:
        yield iter(csv.DictReader(lines))


def _recording(row: Mapping[str, str], folder: Path) -> Recording:
    name, size = row["file_path"], row.get("bytes")
    return Recording(
        Path(name) if url_of(name) else folder / name,
        row["split"],
        float(row["duration"]),
        start=float(row.get("start") or 0.0),
        kind=row.get("kind") or "",
        band_hz=float(row.get("band_hz") or math.inf),
        weight=float(row.get("weight") or 1.0),
        span=Span(int(row["offset"]), int(size)) if size else None,
    )


def _name_beside(path: Path, folder: Path) -> str:
    if url_of(path):
        return name_of(path)
    path, folder = path.absolute(), folder.absolute()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
