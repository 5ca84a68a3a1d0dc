"""Decoders of one input each, and the choice among them by container."""

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import soundfile
from numpy.typing import DTypeLike, NDArray

from audiofix.audio import au, caf, ogg, wave
from audiofix.audio.bytestream import ByteStream
from audiofix.audio.flac import read_stream_info
from audiofix.audio.foreign import ForeignReader, decoder_here
from audiofix.audio.format import AudioFormat
from audiofix.audio.mpeg import states_length
from audiofix.audio.pcm import decode_samples
from audiofix.audio.silenced import Silenced
from audiofix.audio.sniff import SNIFF_BYTES
from audiofix.errors import InputError

log = logging.getLogger(__name__)

_FOREIGN = ("mp4", "adts", "asf")
"""Containers that libsndfile does not know."""

_STREAMED = ("flac", "adts", "asf")
"""What PyAV decodes from a pipe while it runs. It loses or adds samples at the ends of Vorbis and
MP3 streams, so those go through a temporary file, where libsndfile gives their exact length; the
index of an MP4 file may lie at its end."""


class Reader(Protocol):
    """Decodes one input. `Source` adds what is the same for all."""

    audio: AudioFormat
    samples: int | None
    encoding: str
    fault: InputError | None

    def read(self, samples: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return up to `samples` samples, none only at the end, as float32 or float64."""
        ...

    def skip(self, samples: int) -> int:
        """Pass over samples without decoding them, where that is exact; return how many."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_reader(stream: ByteStream, path: Path | None, container: str) -> Reader:
    """Return a reader of `stream`, whose file is `path` if it has one.

    Raises:
        InputError: it cannot be decoded, or not here.
    """
    headers: dict[str, Callable[[ByteStream], wave.Header]] = {
        "wav": wave.read_header,
        "rifx": wave.read_header,
        "rf64": wave.read_header,
        "au": au.read_header,
    }
    if container == "caf" and caf.is_uncompressed(stream.peek(SNIFF_BYTES)):
        headers["caf"] = caf.read_header
    # A pipe cannot go back to its header for the reader that decompresses.
    if path is None and container == "wav" and wave.is_compressed(stream.peek(SNIFF_BYTES)):
        del headers[container]
    if container in headers:
        try:
            return PcmReader(stream, headers[container](stream))
        except wave.UnsupportedEncoding as error:
            if path is None:
                raise InputError(
                    f"its samples are compressed ({error}): give it as a file, not on a pipe"
                ) from error
    if path is not None:
        stream.close()
        return _file_reader(path, container)
    if container in _STREAMED and decoder_here() == "pyav":
        return ForeignReader("pyav", stream, _flac_encoding(stream.peek(SNIFF_BYTES)))
    spool = _spooled(stream)
    try:
        return _file_reader(spool, container)
    except BaseException:
        with suppress(OSError):
            spool.close()
        raise


def _file_reader(file: Path | BinaryIO, container: str) -> Reader:
    """Read a file by libsndfile where that is exact, else by a decoder that needs no length."""
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
        head = opened.read(SNIFF_BYTES)
        # libsndfile stops at the length that it estimates or cannot find.
        by_length = container not in _FOREIGN
        if container == "flac":
            facts = read_stream_info(head)
            by_length = bool(facts and facts.samples)
        elif container == "mp3":
            by_length = states_length(opened)
        elif container == "ogg" and not ogg.is_whole(opened):
            name = file if isinstance(file, Path) else "standard input"
            log.warning("%s: cut: its last page is missing; what is there is used", name)
            by_length = False
        opened.seek(0)
    decoder = decoder_here()
    if by_length or (container == "ogg" and decoder is None):
        return _FileReader(file)
    if decoder is None:
        raise InputError(
            f"{container.upper()} needs a decoder: pip install 'audiofix[formats]', or get ffmpeg"
        )
    return ForeignReader(decoder, file, _flac_encoding(head))


def _flac_encoding(head: bytes) -> str:
    """Return `s16`, `s24`, ... for the head of a FLAC stream, nothing for another's."""
    facts = read_stream_info(head) if head.startswith(b"fLaC") else None
    return f"s{facts.bits}" if facts else ""


class PcmReader:
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

    def read(self, samples: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return up to `samples` samples, none only at the end."""
        wanted = samples * self._frame
        if self._left is not None:
            wanted = min(wanted, self._left)
        data = self._stream.read(wanted)
        if self._left is not None:
            self._left -= len(data)
        if len(data) < wanted or len(data) % self._frame:
            self._note_end(len(data) % self._frame)
        return decode_samples(data, self._header.encoding, self.audio.channels, dtype)

    def skip(self, samples: int) -> int:
        """Pass over samples of a file; those of a pipe are read."""
        if self.samples is None:
            return 0
        passed = min(samples, self.samples)
        self._stream.skip(passed * self._frame)
        if self._left is not None:
            self._left -= passed * self._frame
        return passed

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
        """Let go of the stream."""
        self._stream.close()


class _FileReader:
    """What libsndfile reads, block by block."""

    def __init__(self, file: Path | BinaryIO) -> None:
        self._spool = None if isinstance(file, Path) else file
        self._silenced = Silenced(str(file) if isinstance(file, Path) else "standard input")
        self.fault: InputError | None = None
        try:
            with self._silenced.calling():  # libmpg123 prints what it stumbles over
                self._file = soundfile.SoundFile(
                    str(file) if isinstance(file, Path) else _descriptor(file), closefd=False
                )
            self.audio = AudioFormat(self._file.samplerate, self._file.channels)
            wave.check_layout(self.audio.rate, self.audio.channels)
        except soundfile.LibsndfileError as error:
            self._silenced.close()
            raise InputError(f"cannot be decoded ({error.error_string}): get it again") from error
        except InputError:
            self._silenced.close()
            raise
        self.samples: int | None = self._file.frames
        self.encoding = _libsndfile_encoding(self._file.subtype)
        self._left = self._file.frames

    def read(self, samples: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        wanted = 0 if self.fault else min(samples, self._left)
        with self._silenced.calling():
            block, error = _read_block(self._file, wanted, dtype)
        if error:
            self.fault = InputError(f"damaged ({error}): get the file again")
        self._left -= len(block)
        short = not len(block) and self._left > 0 and self.samples != _UNKNOWN_FRAMES
        if short and not self.fault:
            self.fault = InputError(
                f"cut: {self._left} samples fewer than its header says: get the file again"
            )
        return np.ascontiguousarray(block.T)

    def skip(self, samples: int) -> int:
        if self._file.format != "FLAC":  # a lossy decoder hears what came before
            return 0
        passed: int = min(samples, self._left)
        try:
            self._file.seek(passed)
        except soundfile.LibsndfileError:
            self._file.seek(0)  # damaged: reading will tell where
            return 0
        self._left -= passed
        return passed

    def close(self) -> None:
        self._file.close()
        self._silenced.close()
        if self._spool:
            with suppress(OSError):  # libsndfile may leave the descriptor where no file can be
                self._spool.close()


_UNKNOWN_FRAMES = (1 << 63) - 1
_C_TYPES = {"float32": "float", "float64": "double", "int16": "short", "int32": "int"}


def _read_block(
    file: soundfile.SoundFile, samples: int, dtype: DTypeLike
) -> tuple[NDArray[Any], str]:
    """Return the next samples `[samples, channels]`, and what went wrong behind them, if anything.

    By libsndfile itself: where data is damaged, soundfile's own `read` gives back nothing of the
    block, not even what comes before the damage, and it seeks after every block.
    """
    block = np.empty((samples, file.channels), dtype)
    name = _C_TYPES[block.dtype.name]
    pointer = soundfile._ffi.from_buffer(f"{name}[]", block)
    count = getattr(soundfile._snd, f"sf_readf_{name}")(file._file, pointer, samples)
    code = soundfile._snd.sf_error(file._file)
    return block[:count], soundfile.LibsndfileError(code).error_string if code else ""


def _descriptor(file: BinaryIO) -> int:
    """Return the descriptor, at its beginning."""
    # Through Python's own seek, libsndfile's tries to find out what a file is print tracebacks.
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return file.fileno()


def _libsndfile_encoding(subtype: str) -> str:
    names = {"FLOAT": "f32", "DOUBLE": "f64", "ULAW": "mulaw", "ALAW": "alaw", "PCM_U8": "u8"}
    if subtype in names:
        return names[subtype]
    return subtype.lower().replace("pcm_", "s").replace("mpeg_layer_iii", "mp3")


def _spooled(stream: ByteStream) -> BinaryIO:
    """Return a temporary file with all that a pipe has to say, for decoders that seek."""
    spool = cast(BinaryIO, tempfile.TemporaryFile())
    while data := stream.read(1 << 20):
        spool.write(data)
    spool.flush()
    spool.seek(0)
    stream.close()
    return spool
