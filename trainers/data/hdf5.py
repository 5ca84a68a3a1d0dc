"""Windows of sound in HDF5, as the authors of Apollo prepare their data.

One file holds `data`, `[windows, channels, samples]`, at 44.1 kHz. Files of silent recordings are
there too, without it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from audiofix.trainers.data.manifest import Recording

from audiofix.audio.format import Chunk, as_chunk
from audiofix.errors import InputError, UsageError

RATE = 44100
EXTENSIONS = (".hdf5", ".h5")

_DATA = "data"


def windows_of(path: Path, split: str) -> list[Recording]:
    """Return each window of a file as a recording of its own; none where it has none.

    Raises:
        InputError: it is no such file.
        UsageError: h5py is not installed.
    """
    with _opened(path) as file:
        if _DATA not in file:
            return []
        windows, _, samples = file[_DATA].shape
    seconds = samples / RATE
    return [Recording(path, split, seconds, index * seconds) for index in range(windows)]


def read_window(recording: Recording) -> Chunk:
    """Return one of `windows_of`, `[channels, samples]`."""
    with _opened(recording.path) as file:
        return as_chunk(np.asarray(file[_DATA][round(recording.start / recording.duration)]))


def _opened(path: Path) -> Any:
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise UsageError("h5py: not installed: pip install 'audiofix[train]'") from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: not HDF5 ({error}): name other data") from error
