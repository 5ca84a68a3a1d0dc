"""What `inpaint --dry-run` shows: the gaps as a CSV file, and a picture of where they are."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audiofix.audio.folder import audio_below
from audiofix.audio.format import Chunk
from audiofix.audio.source import Headerless, open_source
from audiofix.audio.spans import gaps_of
from audiofix.dsp.gap_finder import GapFinder
from audiofix.dsp.picture import Mark, spectrogram
from audiofix.errors import UsageError
from audiofix.files import check_new_file, write_bytes
from audiofix.streaming.gaps import Gap, GapSource, KnownGaps

_BLOCK = 1 << 16
_PICTURE_SECONDS = 600.0
"""Of a recording that a picture shows at most: they are kept in memory."""

_WIDTH, _HEIGHT = 1400, 400


def print_gaps(
    inputs: Sequence[str],
    gaps: str,
    picture: Path | None,
    headerless: Headerless | None,
    overwrite: bool,
) -> None:
    """Print the gaps of every input to standard output; `--gaps FILE` reads what comes out.

    Args:
        inputs: files, folders, or `-`.
        gaps: what `--gaps` said.
        picture: a PNG file to draw of the one input; None for no picture.
        headerless: what inputs without a header are.
        overwrite: whether the picture may replace a file.

    Raises:
        UsageError: there is a picture to draw of several inputs.
        OutputError: the picture exists, or cannot be written.
        InputError: an input cannot be read.
    """
    files = [
        file
        for name in inputs
        for file in (map(str, audio_below(Path(name))) if Path(name).is_dir() else [name])
    ]
    if picture is not None and len(files) != 1:
        raise UsageError("--picture: shows one recording: name one input")
    if picture is not None:
        check_new_file(picture, overwrite=overwrite)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["file", "start", "end", "what", "channels"])
    for file in files:
        _print_file(table, file, gaps, picture, headerless, overwrite)


def _print_file(
    table: Any,
    file: str,
    gaps: str,
    picture: Path | None,
    headerless: Headerless | None,
    overwrite: bool,
) -> None:
    with open_source(file, headerless=headerless) as source:
        form = source.format
        spans = gaps_of(gaps, source.name, form.rate)
        teller: GapSource = GapFinder(form) if spans is None else KnownGaps(spans, form)
        kept: list[Chunk] = []
        samples = 0
        found: list[Gap] = []
        while (chunk := source.read_exact(_BLOCK)).shape[1]:
            found += teller.push(chunk)
            if picture is not None and samples < _PICTURE_SECONDS * form.rate:
                kept.append(np.nan_to_num(chunk).astype(np.float32))
            samples += chunk.shape[1]
        found += teller.flush()
        found = [gap for gap in found if gap.start < samples]
        for gap in found:
            rows = " ".join(str(channel + 1) for channel in gap.channels)
            ends = (_seconds(place, form.rate) for place in (gap.start, min(gap.end, samples)))
            table.writerow([source.name, *ends, gap.what, rows])
        if source.fault:
            raise source.fault
    if picture is not None:
        sound = np.concatenate([np.zeros((form.channels, 1), np.float32), *kept], axis=1)
        _draw(picture, sound, found, overwrite)


def _draw(picture: Path, sound: Chunk, found: list[Gap], overwrite: bool) -> None:
    marks = [Mark(gap.start, gap.end) for gap in found]
    png = spectrogram(sound, width=_WIDTH, height=_HEIGHT, marks=marks)
    write_bytes(picture, png, overwrite=overwrite)


def _seconds(samples: int, rate: int) -> str:
    """Return a time that comes back to the very sample."""
    return f"{samples / rate:.9f}".rstrip("0").rstrip(".")
