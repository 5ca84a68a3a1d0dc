"""Recordings that come from no input: into one stream, or a file each."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.sink import Sink, check_target, open_sink
from audiofix.audio.types import encoding_of, type_of
from audiofix.errors import UsageError
from audiofix.files import make_folder
from audiofix.jobs.fragment import is_done
from audiofix.jobs.job import PIPE, IOOptions
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import through

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finish:
    """What is done to every recording before it is written.

    Attributes:
        to_rate: samples per second of the result; None keeps the model's.
        level_db: peak in dB of full scale; None keeps the model's.
        gap_seconds: of silence between the recordings of one stream.
    """

    to_rate: int | None = None
    level_db: float | None = None
    gap_seconds: float = 0.0

    def result(self, source: AudioFormat) -> AudioFormat:
        """Return the format of the result."""
        return AudioFormat(self.to_rate or source.rate, source.channels)

    def apply(self, recording: Chunk, source: AudioFormat) -> Chunk:
        """Return one recording at its rate and level; silence stays silence."""
        sound = through(Resample(source, self.to_rate or source.rate), recording)
        peak = np.abs(sound).max(initial=0)
        if self.level_db is not None and peak > 0:
            sound = sound * np.float32(10 ** (self.level_db / 20) / peak)
        return sound


def output_files(output: str | None, count: int, kind: str | None) -> list[Path] | None:
    """Return the file of each recording; None where all of them go into one stream.

    A folder gets `0000.wav`, `0001.wav` and so on; a name with `%d`, or `%04d`, is a pattern.

    Args:
        output: what the user named.
        count: recordings.
        kind: type of the files; None takes that of the name, else WAV.

    Raises:
        UsageError: the pattern has more than one place for a number, or another kind of place.
        OutputError: the folder cannot be made.
    """
    if output in (None, "-"):
        return None
    assert output is not None
    path = Path(output)
    if output.endswith(("/", os.sep)) or path.is_dir():
        make_folder(path)
        digits = max(4, len(str(count - 1)))
        return [path / f"{number:0{digits}d}.{type_of(path, kind)}" for number in range(count)]
    if "%" not in path.name:
        return None
    try:
        names = [path.name % number for number in range(count)]
    except (TypeError, ValueError) as error:
        raise UsageError(f"{output}: one %d is the recording's number: as in digit-%d.wav") from (
            error
        )
    return [path.with_name(name) for name in names]


def unfinished(files: Sequence[Path] | None, output: str | None, count: int) -> list[int]:
    """Return the numbers of the recordings that are not there yet, and tell of the others.

    Args:
        files: one for each recording; None where all go into one.
        output: what the user named.
        count: recordings.
    """
    if files is None:
        path = Path(output or PIPE)
        there = path != PIPE and is_done(path)
        if there:
            log.warning("%s: exists: skipped", path)
        return [] if there else list(range(count))
    todo = [number for number, path in enumerate(files) if not is_done(path)]
    if len(todo) < count:
        log.warning("%d of %d files are there already: skipped", count - len(todo), count)
    return todo


def check_outputs(files: Sequence[Path] | None, output: str | None, io: IOOptions) -> None:
    """Find out what writing would refuse, before a model loads.

    Raises:
        UsageError: the type is unknown, or binary would go to a terminal.
        OutputError: a file exists and may not be replaced, or its folder does not exist.
    """
    for path in files if files is not None else [Path(output or PIPE)]:
        encoding_of(type_of(path, io.kind), io.bits, "32f")
        check_target(path, overwrite=io.overwrite)


def write_recordings(
    recordings: Iterable[Chunk],
    source: AudioFormat,
    target: Sequence[Path] | str | None,
    io: IOOptions,
    finish: Finish,
) -> Iterator[int]:
    """Write recordings as they come, and yield how many are written.

    Args:
        recordings: `[channels, samples]` each.
        source: their format.
        target: a file for each; or one file, `-` or None for all of them, gaps between.
        io: how to write.
        finish: what is done to each.

    Raises:
        OutputError: a file cannot be written; those before it are whole.
    """
    result = finish.result(source)
    if target is None or isinstance(target, str):
        gap = np.zeros((result.channels, round(finish.gap_seconds * result.rate)), np.float32)
        with _sink(Path(target or PIPE), result, io) as sink:
            for done, recording in enumerate(recordings, start=1):
                if done > 1:
                    sink.write(gap)
                sink.write(finish.apply(recording, source))
                sink.flush()
                yield done
        return
    for done, (recording, path) in enumerate(zip(recordings, target, strict=True), start=1):
        with _sink(path, result, io) as sink:
            sink.write(finish.apply(recording, source))
        yield done


def _sink(path: Path, audio: AudioFormat, io: IOOptions) -> Sink:
    return open_sink(path, audio, kind=io.kind, bits=io.bits, overwrite=io.overwrite, seed=io.seed)
