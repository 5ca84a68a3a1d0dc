"""Spans of time as people write them: `1.5-1.75,3:02-3:02.4`, label files, CSV files."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audiofix.errors import InputError, UsageError

_TIME = r"\s*(?:\d+:)*\d+(?:\.\d*)?s?\s*"
_SPAN = re.compile(rf"({_TIME})-({_TIME})")
_START_COLUMNS = ("start", "begin", "onset", "from")
_END_COLUMNS = ("end", "stop", "offset", "to")
_FILE_COLUMNS = ("file", "file_path", "filename", "path", "name")
_LABEL_ENDINGS = (".txt", ".csv", ".tsv", ".lab")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, either in seconds or in samples.

    Attributes:
        start: where it begins.
        end: where it ends.
        in_samples: whether both count samples.
    """

    start: float
    end: float
    in_samples: bool = False

    def seconds(self, rate: int) -> tuple[float, float]:
        """Return start and end in seconds, of a recording at `rate`."""
        scale = rate if self.in_samples else 1
        return self.start / scale, self.end / scale


def looks_like_spans(text: str) -> bool:
    """Tell spans from the name of a file."""
    return all(_SPAN.fullmatch(part) for part in text.split(","))


def check_gaps(text: str) -> None:
    """Refuse what tells no gaps of any recording; see `gaps_of`.

    Raises:
        UsageError: spans that are none.
        InputError: there is no such file or folder.
    """
    if looks_like_spans(text):
        parse_spans(text)
    elif text != "auto" and not Path(text).exists():
        raise InputError(f"{text}: not there: name a file of labels, or write START-END")


def parse_spans(text: str) -> tuple[Span, ...]:
    """Return the spans in a text: `START-END`, with commas between them.

    A time is in seconds, or `minutes:seconds`, or a number of samples where an `s` follows it.

    Raises:
        UsageError: it is written otherwise, or a span ends before it begins.

    >>> parse_spans("0.5-0.75,1:02-1:02.5")
    (Span(start=0.5, end=0.75, in_samples=False), Span(start=62.0, end=62.5, in_samples=False))
    >>> parse_spans("4410s-8820s")[0].seconds(44100)
    (0.1, 0.2)
    """
    spans = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part)
        if not found:
            raise UsageError(
                f"gaps {part.strip()}: not START-END in seconds: write 12.3-12.55,40-40.1"
            )
        spans.append(_span(*found.groups()))
    return tuple(spans)


def read_spans(path: Path, recording: str) -> tuple[Span, ...]:
    """Return the spans that a file tells of one recording.

    Audacity's labels (start, end and a name between tabs) and CSV files with or without the column
    names `start` and `end` are read. A CSV file with a column `file` tells of several recordings.

    Args:
        path: the file; or a folder with one label file a recording, named like it.
        recording: the recording's path or name.

    Raises:
        InputError: the file cannot be read, or a row is no span.
    """
    name = Path(recording).stem
    if path.is_dir():
        files = [path / f"{name}{ending}" for ending in _LABEL_ENDINGS]
        path = next((file for file in files if file.is_file()), path / f"{name}.txt")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise InputError(f"{path}: {reason}: name a file of labels, or write START-END") from error
    lines = [line for line in text.splitlines() if line.strip() and line[0] not in "#\\"]
    separator = "\t" if any("\t" in line for line in lines) else ","
    rows = list(csv.reader(lines, delimiter=separator))
    return tuple(_rows(rows, recording, str(path)))


def _rows(rows: list[list[str]], recording: str, path: str) -> Iterable[Span]:
    heads = [cell.strip().lower() for cell in rows[0]] if rows else []
    start, end = _column(heads, _START_COLUMNS), _column(heads, _END_COLUMNS)
    file = _column(heads, _FILE_COLUMNS)
    first_row = 1
    if start is None or end is None:
        first_row, start, end, file = 0, 0, 1, None
    for number, row in enumerate(rows[first_row:], first_row + 1):
        try:
            if file is None or _is_of(row[file], recording):
                yield _span(row[start], row[end])
        except (IndexError, ValueError, UsageError) as error:
            raise InputError(
                f"{path}: row {number}: no span ({', '.join(row)}): it needs a start and an end"
            ) from error


def _column(heads: list[str], names: tuple[str, ...]) -> int | None:
    return next((heads.index(name) for name in names if name in heads), None)


def _is_of(cell: str, recording: str) -> bool:
    """Tell whether a cell names a recording: its path, the end of it, or its name."""
    wanted, told = Path(recording), Path(cell.strip())
    return told.stem == wanted.stem and wanted.parts[-len(told.parts) :][:-1] == told.parts[:-1]


def _span(start: str, end: str) -> Span:
    start, end = start.strip(), end.strip()
    in_samples = start.endswith("s") or end.endswith("s")
    if in_samples and not (start.endswith("s") and end.endswith("s")):
        raise UsageError(f"gaps {start}-{end}: samples and seconds mixed: write both alike")
    first, last = _number(start.removesuffix("s")), _number(end.removesuffix("s"))
    if not first < last:
        raise UsageError(f"gaps {start}-{end}: ends before it begins: write START-END")
    return Span(first, last, in_samples)


def _number(text: str) -> float:
    """Return the seconds of `SECONDS`, `MINUTES:SECONDS` or `HOURS:MINUTES:SECONDS`."""
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total


def gaps_of(text: str, recording: str, rate: int) -> tuple[tuple[float, float], ...] | None:
    """Return what `--gaps` says of one recording, in seconds; None where it says `auto`.

    Args:
        text: `auto`, spans, or a file or folder of them.
        recording: its path or name.
        rate: its samples per second.

    Raises:
        UsageError: a span is written wrongly.
        InputError: the file cannot be read, or a row of it is no span.
    """
    if text == "auto":
        return None
    spans = parse_spans(text) if looks_like_spans(text) else read_spans(Path(text), recording)
    return tuple(span.seconds(rate) for span in spans)
