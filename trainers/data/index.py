"""An index of training data, made once: a manifest that says where every piece of sound lies.

Who trains with it opens no file to learn what there is. Long recordings are split into pieces, so
that drawing a clip reads a minute at most, and not the day around it.
"""

import logging
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from audiofix.trainers.data import hdf5
from audiofix.trainers.data.corpora import Found, found_files, of_split, recordings_of
from audiofix.trainers.data.manifest import Recording, write_manifest
from audiofix.trainers.progress import Bar, no_bar

from audiofix.errors import InputError

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
_PIECE_SECONDS = 60.0
_AT_ONCE = 16
"""Files that are asked for their lengths at once: a store answers slowly, but many at a time."""


def write_index(source: Path, index: Path, bar: Bar = no_bar) -> int:
    """Write the index of `source`, and return its number of rows.

    Args:
        source: a folder of sounds, tar shards or HDF5 files, here or in a store; VCTK's folder.
        index: the new file.
        bar: shows how far it is.

    Raises:
        InputError: there is nothing. A file that cannot be read is left out, with a warning.
        OutputError: the index cannot be written, or exists.
    """
    found = found_files(source)
    chosen = [(one, split) for split in SPLITS for one in of_split(found, source, split)]
    if not chosen:
        raise InputError(f"{source}: holds no sound: name another folder")
    return write_manifest(index, _pieces(chosen, bar))


def _pieces(chosen: list[tuple[Found, str]], bar: Bar) -> Iterator[Recording]:
    with (
        ThreadPoolExecutor(_AT_ONCE) as threads,
        bar("index", len(chosen), " files", 0) as tick,
    ):
        held = threads.map(_recordings, chosen)
        for done, recordings in enumerate(held, start=1):
            for recording in recordings:
                yield from pieces_of(recording)
            if tick:
                tick(done)


def _recordings(chosen: tuple[Found, str]) -> list[Recording]:
    """Return what one file holds; nothing, with a warning, of one that cannot be read."""
    file, split = chosen
    try:
        return recordings_of(file.path, split, span=file.span)
    except InputError as error:
        log.warning("%s: left out", error)
        return []


def pieces_of(recording: Recording) -> list[Recording]:
    """Return a recording as equal pieces of a minute at most; nothing of one without length."""
    if recording.path.suffix in hdf5.EXTENSIONS:
        return [recording]
    count = math.ceil(recording.duration / _PIECE_SECONDS)
    seconds = recording.duration / max(1, count)
    return [
        replace(recording, start=recording.start + place * seconds, duration=seconds)
        for place in range(count)
    ]
