"""Write any audio, to a file or a pipe; nothing half-written ever bears the real name."""

import logging
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

import soundfile

from audiofix.audio.destination import (
    Destination,
    File,
    Output,
    Pipe,
    Spool,
    is_special,
    open_special,
)
from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.pcm import HEADERLESS, SampleEncoder
from audiofix.audio.remote import Upload, remote_exists, url_of
from audiofix.audio.tags import Tags, write_tags
from audiofix.audio.types import check_format, encoding_of, type_of
from audiofix.audio.writers import Writer, open_writer
from audiofix.errors import OutputError, UsageError
from audiofix.files import check_new_file, output_error

log = logging.getLogger(__name__)


class Sink(Output):
    """One output of sound."""

    def __init__(
        self,
        name: str,
        writer: Writer,
        stream: BinaryIO,
        encoder: SampleEncoder,
        destination: Destination,
    ) -> None:
        """Put the parts together; `open_sink` chooses them."""
        self.name = name
        self._writer = writer
        self._stream = stream
        self._encoder = encoder
        self._destination = destination

    @property
    def clipped(self) -> int:
        """Samples so far that the output type could not hold."""
        return self._encoder.clipped

    def write(self, chunk: Chunk) -> None:
        """Append samples `[channels, n]`.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        if not chunk.shape[1]:
            return
        try:
            self._writer.write(chunk)
        except BrokenPipeError:
            raise
        except (OSError, soundfile.LibsndfileError) as error:
            raise output_error(self.name, error) from error

    def flush(self) -> None:
        """Send on what was written, where somebody may be waiting for it.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise output_error(self.name, error) from error

    def finish(self) -> None:
        """Write what the container ends with."""
        self._writer.finish()

    def commit(self) -> None:
        """Finish the output and give it its name; say how many samples were clipped."""
        super().commit()
        if self.clipped:
            log.warning("%s: %d samples clipped", self.name, self.clipped)


def open_sink(
    path: str | Path,
    audio: AudioFormat,
    *,
    kind: str | None = None,
    bits: str | None = None,
    usual_bits: str = "32f",
    tags: Tags | None = None,
    overwrite: bool = False,
    seed: int = 0,
) -> Sink:
    """Open an output.

    Args:
        path: a file, or `-` for standard output.
        audio: what will be written.
        kind: the type; None takes the extension's, else WAV.
        bits: the sample format; None takes `usual_bits`, on a pipe 32-bit float.
        usual_bits: what a file comes as near to as its type allows.
        tags: title, artist, ... of the output.
        overwrite: whether an existing file may be replaced.
        seed: of the dither.

    Raises:
        UsageError: the type is unknown or cannot hold `bits`, the rate or the channels; binary
            would go to a terminal.
        OutputError: the file exists or cannot be made.
    """
    kind = type_of(path, kind)
    piped = str(path) == "-"
    name = "standard output" if piped else url_of(path) or str(path)
    encoding = encoding_of(kind, bits, "32f" if piped else usual_bits)
    check_format(kind, audio)
    encoder = SampleEncoder(encoding, seed)
    check_target(path, overwrite=overwrite)
    if piped:
        return _piped(name, audio, kind, encoder, sys.stdout.buffer)
    target = Path(path)
    if is_special(target):
        return _piped(name, audio, kind, encoder, open_special(target))

    def last(part: Path) -> None:
        write_tags(part, kind, tags or Tags(), name)

    url = url_of(target)
    destination = Upload(url, last) if url else File(target, overwrite=overwrite, last=last)
    return _filed(name, audio, kind, encoder, destination)


def check_target(path: str | Path, *, overwrite: bool) -> None:
    """Find out whether something can be written there, before work is done.

    Raises:
        UsageError: binary would go to a terminal.
        OutputError: the file exists and may not be replaced, is a folder, or has no folder.
    """
    target = Path(path)
    if str(path) == "-":
        if sys.stdout is None:
            raise OutputError("standard output: closed: name a file with -o")
        if sys.stdout.isatty():
            raise UsageError(
                "output: binary would go to the terminal: name a file with -o, or pipe it"
            )
    elif url := url_of(target):
        if not overwrite and remote_exists(url):
            raise OutputError(f"{url}: exists: add --overwrite, or name another file")
    elif is_special(target):
        return  # a device or a named pipe is written to, not replaced
    else:
        check_new_file(target, overwrite=overwrite)


def _filed(
    name: str, audio: AudioFormat, kind: str, encoder: SampleEncoder, destination: File | Upload
) -> Sink:
    stream = destination.stream
    try:
        writer = open_writer(kind, stream, audio, encoder, seekable=True)
    except BaseException as error:
        destination.abort(stream)
        if isinstance(error, OSError | soundfile.LibsndfileError):
            raise output_error(name, error) from error
        raise
    return Sink(name, writer, stream, encoder, destination)


def _piped(
    name: str, audio: AudioFormat, kind: str, encoder: SampleEncoder, stream: BinaryIO
) -> Sink:
    if kind in HEADERLESS or kind in ("wav", "rf64", "au"):
        seekable = stat.S_ISREG(os.fstat(stream.fileno()).st_mode) and kind != "au"
        writer = open_writer(kind, stream, audio, encoder, seekable=seekable)
        return Sink(name, writer, stream, encoder, Pipe(stream))
    # The other types need to seek: made in a temporary file, sent at the end.
    spool = cast(BinaryIO, tempfile.TemporaryFile())
    return Sink(
        name,
        open_writer(kind, spool, audio, encoder, seekable=True),
        spool,
        encoder,
        Spool(stream),
    )
