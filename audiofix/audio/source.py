"""Open any audio, from a file or a pipe, as a source of chunks."""

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import soundfile

from audiofix.audio import au, wave
from audiofix.audio.bytestream import ByteStream, name_of, open_bytes
from audiofix.audio.foreign import ForeignReader, decoder_for
from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.audio.pcm import Encoding, decode_samples, parse_encoding
from audiofix.audio.sniff import SNIFF_BYTES, sniff
from audiofix.audio.tags import Tags, read_tags
from audiofix.errors import InputError, UsageError

log = logging.getLogger(__name__)

_FOREIGN = ("mp4", "adts", "asf")
"""Containers that libsndfile does not know."""

_STREAMED = ("flac",)
"""What PyAV decodes from a pipe while it runs. It loses or adds samples at the ends of Vorbis and
MP3 streams, so those go through a temporary file, where libsndfile gives their exact length."""


@dataclass(frozen=True, slots=True)
class Headerless:
    """What samples without a header are."""

    encoding: Encoding
    rate: int
    channels: int


class Reader(Protocol):
    """Decodes one input. `Source` adds what is the same for all."""

    audio: AudioFormat
    samples: int | None
    encoding: str
    fault: InputError | None

    def read(self, samples: int) -> Chunk:
        """Return up to `samples` samples, none only at the end."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


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
            InputError: the data is damaged, or a sample is NaN or infinite.
        """
        try:
            chunk = self._reader.read(samples)
        except (InputError, OSError) as error:
            raise InputError(f"{self.name}: {error}") from error
        finite = np.isfinite(chunk).all(axis=0)
        if not finite.all():
            seconds = (self._position + int(np.argmin(finite))) / self.format.rate
            raise InputError(
                f"{self.name}: NaN or infinity at {seconds:.6f} s: repair the recording first"
            )
        self._position += chunk.shape[1]
        return chunk

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
        kilo = rate.lower().endswith("k")
        samples_per_second = round(float(rate[:-1]) * 1000) if kilo else int(rate)
        return Headerless(parse_encoding(encoding), samples_per_second, int(channels))
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
        return Source(name, "raw", _PcmReader(stream, header), Tags())
    reader = _reader(stream, path, container)
    if headerless:
        _refuse_disagreement(reader, headerless)
    return Source(name, container, reader, read_tags(path, container) if path else Tags())


def _reader(stream: ByteStream, path: Path | None, container: str) -> Reader:
    headers: dict[str, Callable[[ByteStream], wave.Header]] = {
        "wav": wave.read_header,
        "rifx": wave.read_header,
        "rf64": wave.read_header,
        "au": au.read_header,
    }
    if container in headers:
        try:
            return _PcmReader(stream, headers[container](stream))
        except wave.UnsupportedEncoding as error:
            if path is None:
                raise InputError(
                    f"its samples are compressed ({error}): give it as a file, not on a pipe"
                ) from error
    if path is not None and container not in _FOREIGN:
        stream.close()
        return _FileReader(path)
    decoder = decoder_for(path)
    if decoder is not None and container in (*_FOREIGN, *_STREAMED):
        return ForeignReader(decoder, stream, path)
    if container in _FOREIGN:
        raise InputError(
            f"{container.upper()} needs a decoder: pip install 'audiofix[formats]', or get ffmpeg"
        )
    return _spooled(stream)


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


class _PcmReader:
    """Samples as they lie in a stream, behind a header that is already read."""

    def __init__(self, stream: ByteStream, header: wave.Header) -> None:
        self._stream = stream
        self._header = header
        self.audio = header.audio
        self.encoding = header.encoding.name
        self.fault: InputError | None = None
        self._frame = header.encoding.bytes * header.audio.channels
        self._left = header.data_bytes
        there = None if stream.size is None else stream.size - stream.position
        known = [size for size in (self._left, there) if size is not None]
        self.samples = min(known) // self._frame if stream.size is not None else None

    def read(self, samples: int) -> Chunk:
        wanted = samples * self._frame
        if self._left is not None:
            wanted = min(wanted, self._left)
        data = self._stream.read(wanted)
        if self._left is not None:
            self._left -= len(data)
        if len(data) < wanted or len(data) % self._frame:
            self._note_end(len(data) % self._frame)
        return decode_samples(data, self._header.encoding, self.audio.channels)

    def _note_end(self, loose_bytes: int) -> None:
        """Tell a file that promised more from a stream whose length nobody knew."""
        if self._left and self._stream.size is not None:
            missing = -(-self._left // self._frame)
            self.fault = InputError(
                f"cut: {missing} samples fewer than its header says: get the file again"
            )
        elif self._left or loose_bytes:
            log.warning("the stream ends inside its data; the whole samples before it are used")
            self._left = 0

    def close(self) -> None:
        self._stream.close()


class _FileReader:
    """What libsndfile reads, block by block."""

    def __init__(self, path: Path, *, spool: BinaryIO | None = None) -> None:
        self._spool = spool
        self.fault: InputError | None = None
        try:
            self._file = soundfile.SoundFile(spool or str(path))
        except soundfile.LibsndfileError as error:
            raise InputError(f"cannot be decoded ({error.error_string}): get it again") from error
        self.audio = AudioFormat(self._file.samplerate, self._file.channels)
        wave.check_layout(self.audio.rate, self.audio.channels)
        self.samples: int | None = self._file.frames
        self.encoding = _libsndfile_encoding(self._file.subtype)
        self._left = self._file.frames

    def read(self, samples: int) -> Chunk:
        try:
            block = self._file.read(samples, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            self.fault = InputError(f"damaged ({error.error_string}): get the file again")
            return empty_chunk(self.audio.channels)
        self._left -= len(block)
        if not len(block) and self._left > 0 and self.samples != _UNKNOWN_FRAMES:
            self.fault = InputError(
                f"cut: {self._left} samples fewer than its header says: get the file again"
            )
        return as_chunk(block.T)

    def close(self) -> None:
        self._file.close()
        if self._spool:
            self._spool.close()


_UNKNOWN_FRAMES = (1 << 63) - 1


def _libsndfile_encoding(subtype: str) -> str:
    names = {"FLOAT": "f32", "DOUBLE": "f64", "ULAW": "mulaw", "ALAW": "alaw", "PCM_U8": "u8"}
    if subtype in names:
        return names[subtype]
    return subtype.lower().replace("pcm_", "s").replace("mpeg_layer_iii", "mp3")


def _spooled(stream: ByteStream) -> Reader:
    """Decode a pipe that only libsndfile can, through a temporary file: it needs to seek."""
    spool = tempfile.TemporaryFile()
    while data := stream.read(1 << 20):
        spool.write(data)
    spool.seek(0)
    stream.close()
    return _FileReader(Path("-"), spool=spool)
