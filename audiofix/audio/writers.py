"""What puts samples into a stream, one writer a family of types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

import soundfile

from audiofix.audio import au
from audiofix.audio.aac import AacWriter
from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.pcm import HEADERLESS, Encoding, SampleEncoder
from audiofix.audio.types import AAC
from audiofix.audio.wave import WaveWriter


class Writer(Protocol):
    """Puts chunks into a stream in one type."""

    def write(self, chunk: Chunk) -> None:
        """Append samples."""
        ...

    def finish(self) -> None:
        """Write what comes after the last sample."""
        ...


def open_writer(
    kind: str, stream: BinaryIO, audio: AudioFormat, encoder: SampleEncoder, *, seekable: bool
) -> Writer:
    """Return the writer for an output type; `seekable` tells whether sizes can come true later."""
    if kind in HEADERLESS:
        return _RawWriter(stream, encoder)
    if kind in ("wav", "rf64"):
        return WaveWriter(stream, audio, encoder, seekable=seekable)
    if kind == "au" and not seekable:
        encoding = encoder.encoding
        encoder.encoding = Encoding(encoding.kind, encoding.bits, big_endian=True)
        return _RawWriter(stream, encoder, au.streaming_header(audio, encoder.encoding))
    if kind in AAC:
        return AacWriter(kind, stream, audio)
    return _LibsndfileWriter(kind, stream, audio, encoder)


class _RawWriter:
    """Bare samples, behind a header that goes out with the first of them."""

    def __init__(self, stream: BinaryIO, encoder: SampleEncoder, header: bytes = b"") -> None:
        self._stream = stream
        self._encoder = encoder
        self._waiting = header

    def write(self, chunk: Chunk) -> None:
        self._stream.write(self._waiting + self._encoder.encode(chunk))
        self._waiting = b""

    def finish(self) -> None:
        self._stream.write(self._waiting)


class _LibsndfileWriter:
    """What libsndfile writes. Integers are made here, so that every type rounds alike."""

    def __init__(
        self, kind: str, stream: BinaryIO, audio: AudioFormat, encoder: SampleEncoder
    ) -> None:
        container, subtype = {"ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}.get(
            kind, (kind.upper(), _subtype(encoder.encoding))
        )
        if kind == "mp3":
            subtype = "MPEG_LAYER_III"
        self._integers = encoder if kind not in ("ogg", "opus", "mp3") else None
        if encoder.encoding.kind == "float":
            self._integers = None
        self._stream = _Catching(stream)
        with self._stream.raising():
            self._file = soundfile.SoundFile(
                self._stream, "w", audio.rate, audio.channels, subtype, format=container
            )

    def write(self, chunk: Chunk) -> None:
        encoder = self._integers
        with self._stream.raising():
            self._file.write(encoder.integers(chunk) if encoder else chunk.T)

    def finish(self) -> None:
        with self._stream.raising():
            self._file.close()


class _Catching:
    """A stream for a library that calls it back, and cannot pass on what it raises.

    An exception inside a callback ends as a traceback on stderr; so it waits here until the library
    has returned.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._error: OSError | None = None

    def write(self, data: bytes) -> int:
        return self._tried(lambda: self._stream.write(data))

    def read(self, count: int = -1) -> bytes:
        return b"" if self._stream.closed else self._stream.read(count)

    def seek(self, position: int, whence: int = 0) -> int:
        return self._tried(lambda: self._stream.seek(position, whence))

    def tell(self) -> int:
        return self._tried(self._stream.tell)

    def flush(self) -> None:
        self._tried(lambda: self._stream.flush() or 0)

    def _tried(self, action: Callable[[], int]) -> int:
        if self._stream.closed:
            return 0  # the library tidies up behind an output that was dropped
        try:
            return action()
        except OSError as error:  # seeking flushes, too
            self._error = self._error or error
            return 0

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Raise afterwards what a callback could not, instead of what the library made of it."""
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError):
            if self._error is None:
                raise
        if self._error is not None:
            raise self._error


def _subtype(encoding: Encoding) -> str:
    if encoding.kind == "float":
        return "FLOAT" if encoding.bits == 32 else "DOUBLE"
    return f"PCM_{encoding.bits}"
