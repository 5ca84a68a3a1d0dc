"""Open any audio, from a file or a pipe, as a source of chunks."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from audiofix.audio import wave
from audiofix.audio.bytestream import ByteStream, name_of, open_bytes
from audiofix.audio.excerpt import Excerpt
from audiofix.audio.format import AudioFormat, Chunk, empty_chunk, fault_in, hertz_of
from audiofix.audio.pcm import Encoding, parse_encoding
from audiofix.audio.readers import PcmReader, Reader, open_reader
from audiofix.audio.sniff import SNIFF_BYTES, sniff
from audiofix.audio.tags import Tags, read_tags
from audiofix.errors import InputError, UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Headerless:
    """What samples without a header are."""

    encoding: Encoding
    rate: int
    channels: int


class Source:
    """One input, read from its beginning to its end.

    Attributes:
        name: what messages call it.
        format: rate and channels.
        samples: its length if that is known before reading, per channel.
        container: `wav`, `flac`, `mp3`, ... or `raw`.
        encoding: how its samples are stored: `s16le`, `mulaw`, `vorbis`, ...
        tags: title, artist, cover, ... of a file; empty on a pipe.
    """

    def __init__(self, name: str, container: str, reader: Reader, tags: Tags) -> None:
        """Wrap a reader."""
        self.name = name
        self.container = container
        self.format = reader.audio
        self.samples = reader.samples
        self.encoding = reader.encoding
        self.tags = tags
        self._reader = reader
        self._position = 0
        self._excerpt: Excerpt | None = None

    def take(self, start_seconds: float, duration_seconds: float | None) -> None:
        """Read only a part from now on; `samples` becomes its length. Nothing was read before."""
        self._excerpt = Excerpt(self.format.rate, start_seconds, duration_seconds)
        if self.samples is not None:
            seconds = self.samples / self.format.rate
            self.samples = self._excerpt.length(self.samples)
            if not self.samples and start_seconds:
                log.warning("%s: ends at %.3f s, before the start: no sound", self.name, seconds)
        passed = self._reader.skip(round(start_seconds * self.format.rate))
        self._excerpt.next(passed)
        self._position += passed

    @property
    def fault(self) -> InputError | None:
        """What was wrong with the end, after it was reached; the samples before it are good."""
        fault = self._reader.fault
        return InputError(f"{self.name}: {fault}") if fault else None

    @property
    def bits(self) -> str:
        """The sample format that holds everything this input has: 16, 24, 32, 32f or 64f."""
        for mark, bits in (("f64", "64f"), ("f32", "32f"), ("s32", "32"), ("s24", "24")):
            if self.encoding.startswith(mark):
                return bits
        return "16"

    def read(self, samples: int) -> Chunk:
        """Return up to `samples` samples `[channels, n]`, none only at the end.

        Raises:
            InputError: the data is damaged, or a sample is no sound: see `format.fault_in`.
        """
        chunk: Chunk = self._read(samples, np.float32, finite=True)
        return chunk

    def read_exact(self, samples: int) -> NDArray[np.float64]:
        """Return up to `samples` samples `[channels, n]` as float64, which holds each to the bit.

        What is NaN or infinite stays so, for who mends it.

        Raises:
            InputError: the data is damaged, or beyond any level.
        """
        exact: NDArray[np.float64] = self._read(samples, np.float64, finite=False)
        return exact

    def _refuse_fault(self, fault: tuple[int, str] | None, first: int) -> None:
        """Raise a fault, if there is one, of a part that begins at `first` of the next samples."""
        if fault:
            seconds = (self._position + first + fault[0]) / self.format.rate
            raise InputError(
                f"{self.name}: {fault[1]} at {seconds:.6f} s: repair the recording first"
            )

    def _read(self, samples: int, dtype: DTypeLike, *, finite: bool) -> NDArray[Any]:
        while True:
            if self._excerpt and self._excerpt.over:
                samples = 0
            try:
                chunk = self._reader.read(samples, dtype)
            except (InputError, OSError) as error:
                raise InputError(f"{self.name}: {error}") from error
            wanted = self._excerpt.next(chunk.shape[1]) if self._excerpt else slice(None)
            part = np.ascontiguousarray(chunk[:, wanted])
            self._refuse_fault(fault_in(part, finite=finite), wanted.start or 0)
            self._position += chunk.shape[1]
            if part.shape[1] or not chunk.shape[1]:
                return part

    def close(self) -> None:
        """Let go of the input."""
        self._reader.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(path: str | Path, *, headerless: Headerless | None = None) -> Source:
    """Open a file, or standard input for `-`; its content decides what it is.

    Args:
        path: the file, or `-`.
        headerless: what the samples are where there is no header. Where there is one it must
            agree. None asks `AUDIOFIX_PCM` for input without a header.

    Raises:
        InputError: it cannot be read, is not audio, or contradicts `headerless`.
    """
    return source_of(open_bytes(path), name_of(path), headerless=headerless)


def source_of(stream: ByteStream, name: str, *, headerless: Headerless | None = None) -> Source:
    """Make a source of a stream from `open_bytes`, which then belongs to it.

    Args:
        stream: of a file or a pipe, at its beginning.
        name: of the file; what messages call it.
        headerless: as for `open_source`.

    Raises:
        InputError: it is not audio, or contradicts `headerless`.
    """
    try:
        return _open(stream, name, headerless)
    except InputError as error:
        stream.close()
        raise InputError(f"{name}: {error}") from error
    except BaseException:
        stream.close()
        raise


def raise_fault(*sources: Source) -> None:
    """Raise what a source found wrong on its way, if anything."""
    for source in sources:
        if source.fault:
            raise source.fault


def read_whole(source: Source) -> Chunk:
    """Return all samples of a source.

    Raises:
        InputError: it cannot be read to its end.
    """
    chunks = [empty_chunk(source.format.channels)]
    while (chunk := source.read(1 << 16)).shape[1]:
        chunks.append(chunk)
    raise_fault(source)
    return np.concatenate(chunks, axis=1)


def headerless_from_environment() -> Headerless | None:
    """Return what `AUDIOFIX_PCM=ENCODING:RATE:CHANNELS` says, None where it is not set.

    Raises:
        UsageError: it is set to something else.
    """
    value = os.environ.get("AUDIOFIX_PCM")
    if not value:
        return None
    try:
        encoding, rate, channels = value.split(":")
        return Headerless(parse_encoding(encoding), round(hertz_of(rate)), int(channels))
    except ValueError as error:
        raise UsageError(f"AUDIOFIX_PCM={value}: not understood: write f32le:48k:1") from error


def _open(stream: ByteStream, name: str, headerless: Headerless | None) -> Source:
    container = sniff(stream.peek(SNIFF_BYTES))
    path = Path(name) if stream.size is not None else None
    if container == "afc":
        raise InputError("holds audiofix codes, not samples: `audiofix decode` reads them")
    if container is None:
        headerless = headerless or headerless_from_environment()
        if not stream.peek(1):
            raise InputError("empty: nothing to read")
        if headerless is None:
            raise InputError(
                "not audio that audiofix knows: describe headerless samples with -e, -r and -c"
            )
        audio = AudioFormat(headerless.rate, headerless.channels)
        header = wave.Header(audio, headerless.encoding, None)
        return Source(name, "raw", PcmReader(stream, header), Tags())
    reader = open_reader(stream, path, container)
    if headerless:
        _refuse_disagreement(reader, headerless)
    return Source(name, container, reader, read_tags(path, container) if path else Tags())


def _refuse_disagreement(reader: Reader, said: Headerless) -> None:
    audio = reader.audio
    if (said.encoding.name, said.rate, said.channels) != (
        reader.encoding, audio.rate, audio.channels,
    ):  # fmt: skip
        raise InputError(
            f"its header says {reader.encoding}, {audio.rate} Hz, {audio.channels} channels, "
            f"the options {said.encoding.name}, {said.rate} Hz, {said.channels}: "
            "leave -e, -r and -c out"
        )
