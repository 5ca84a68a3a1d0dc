"""Files in tar shards, in the layout of WebDataset: here or in an object store.

A shard is an uncompressed tar file. It is read once, for the places of the files in it; later each
recording is one request for its own bytes. So a shard need not be read in order, items are drawn
as from a folder, and no process has to own a shard.
"""

import io
import tarfile
from pathlib import Path

from audiofix.trainers.data.manifest import Recording, Span

from audiofix.audio.bytestream import ByteStream, name_of
from audiofix.audio.remote import has_audio_name, open_remote, read_span, url_of
from audiofix.audio.source import Source, source_of
from audiofix.errors import InputError

EXTENSION = ".tar"


def files_in(shard: Path) -> list[tuple[Path, Span]]:
    """Return the path, `SHARD.tar/NAME`, and the place of every audio file in a shard, in order.

    Raises:
        InputError: it cannot be read, or is no uncompressed tar file.
    """
    url = url_of(shard)
    try:
        opened = open_remote(url) if url else shard.open("rb")
        with opened, tarfile.open(fileobj=opened, mode="r|") as members:
            return [
                (shard / member.name, Span(member.offset_data, member.size))
                for member in members
                if member.isfile() and has_audio_name(member.name)
            ]
    except tarfile.TarError as error:
        raise InputError(
            f"{name_of(shard)}: not a tar file ({error}): shards must be whole, and uncompressed"
        ) from error
    except OSError as error:
        raise InputError(f"{name_of(shard)}: {error.strerror}: name other data") from error


def open_file(recording: Recording) -> Source:
    """Open a recording that lies in a shard.

    Raises:
        InputError: the shard cannot be read, or has something else there.
    """
    assert recording.span
    shard = shard_of(recording.path)
    content = read_span(shard, recording.span.offset, recording.span.bytes)
    if len(content) < recording.span.bytes:
        raise InputError(f"{name_of(shard)}: shorter than when it was indexed: make the index anew")
    stream = ByteStream(io.BytesIO(content), None)
    return source_of(stream, name_of(recording.path))


def shard_of(path: Path) -> Path:
    """Return the shard of a path that `files_in` gave.

    >>> shard_of(Path("s3://bucket/00.tar/a/b.flac")).name
    '00.tar'
    """
    return next(parent for parent in path.parents if parent.suffix == EXTENSION)
