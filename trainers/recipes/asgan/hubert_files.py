"""Files of HuBERT features for `data.features = hubert`, made of words' sound.

    python -m audiofix.trainers.recipes.asgan.hubert_files CHECKPOINT WORDS FOLDER

CHECKPOINT is a file of HuBERT's tensors under fairseq's names, WORDS what `train asgan --data`
takes. FOLDER gets `<word>/<name>.npy` of shape `[frames, embed]` for each recording, those that are
there are left as they are, and `features.csv`, the manifest to train on; it keeps the splits.
"""

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soxr
import torch
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.words import words

from audiofix.backends.asgan.hubert import RATE, Hubert, hubert_of
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.errors import AudiofixError, CheckpointError, InputError, OutputError
from audiofix.files import make_folder, write_bytes

MANIFEST = "features.csv"
_SPLITS = ("train", "validation", "test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files; return the exit status."""
    summary = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser(
        "python -m audiofix.trainers.recipes.asgan.hubert_files", None, summary
    )
    parser.add_argument("checkpoint", type=Path, help="HuBERT's tensors under fairseq's names")
    parser.add_argument("words", type=Path, help="a folder or a manifest of words")
    parser.add_argument("folder", type=Path, help="for the features and their manifest")
    options = parser.parse_args(arguments)
    try:
        write_features(_opened(options.checkpoint), _recordings(options.words), options.folder)
    except AudiofixError as error:
        print(f"audiofix: {error}", file=sys.stderr)
        return int(error.status)
    print(options.folder / MANIFEST, file=sys.stderr)
    return 0


def write_features(hubert: Hubert, recordings: Iterable[Recording], folder: Path) -> None:
    """Write each recording's features, and the manifest of all.

    Raises:
        InputError: a recording cannot be read.
        OutputError: a file cannot be written, or two recordings would have one name.
    """
    rows: dict[Path, Recording] = {}
    for recording in recordings:
        own = Path(recording.path.parent.name, recording.path.stem + ".npy")
        if own in rows:
            raise OutputError(f"{own}: of {rows[own].path} and {recording.path}: rename one")
        rows[own] = recording
        if not (folder / own).exists():
            _write(folder / own, _features(hubert, recording))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["split", "file_path", "duration"])
    table.writerows([one.split, own.as_posix(), one.duration] for own, one in rows.items())
    write_bytes(folder / MANIFEST, text.getvalue().encode(), overwrite=True)


def _features(hubert: Hubert, recording: Recording) -> bytes:
    sound, rate = read_own(recording)
    word = soxr.resample(sound[0], rate, RATE) if rate != RATE else sound[0]
    with torch.inference_mode():
        found = hubert(torch.from_numpy(np.ascontiguousarray(word, np.float32))[None])[0]
    file = io.BytesIO()
    np.save(file, found.numpy())
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    write_bytes(path, content)


def _opened(checkpoint: Path) -> Hubert:
    try:
        return hubert_of(tensors_in(read_released(checkpoint)), str(checkpoint))
    except OSError as error:
        raise CheckpointError(f"{checkpoint}: {error.strerror}: check the name") from error


def _recordings(source: Path) -> list[Recording]:
    """Return the words of all splits that there are."""
    found = words(source, "train")
    for split in _SPLITS[1:]:
        try:
            found += words(source, split)
        except InputError:
            continue  # no such split
    return found


if __name__ == "__main__":
    sys.exit(main())
