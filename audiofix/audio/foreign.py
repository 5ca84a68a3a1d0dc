"""Formats that libsndfile lacks (AAC, WMA, ...), and FLAC on pipes: by PyAV or by ffmpeg."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from audiofix.audio.bytestream import ByteStream
from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.errors import InputError

Decoder = Literal["pyav", "ffmpeg"]

_FFMPEG_BYTES = 200 << 20
"""pydub holds a whole decoded file in memory; longer compressed input needs the extra."""


def decoder_for(path: Path | None) -> Decoder | None:
    """Return what can decode foreign formats here; a pipe needs PyAV."""
    if find_spec("av"):
        return "pyav"
    return "ffmpeg" if path and shutil.which("ffmpeg") else None


class ForeignReader:
    """Chunks out of whatever FFmpeg's libraries decode."""

    samples: int | None = None

    def __init__(self, decoder: Decoder, stream: ByteStream, path: Path | None) -> None:
        """Open `path`, or the stream where there is no file."""
        self.fault: InputError | None = None
        self._stream = stream
        self._frames = _pyav(self, stream) if decoder == "pyav" else _ffmpeg(self, path)
        self.audio, self.encoding = AudioFormat(1, 1), ""
        self._held = empty_chunk(1)
        first = next(self._frames, None)  # sets audio and encoding on the way
        if first is None:
            raise self.fault or InputError("holds no sound: get the file again")
        self._held = first

    def read(self, samples: int) -> Chunk:
        """Return up to `samples` samples, none only at the end."""
        while not self._held.shape[1]:
            frame = next(self._frames, None)
            if frame is None:
                return empty_chunk(self.audio.channels)
            self._held = frame
        taken, self._held = self._held[:, :samples], self._held[:, samples:]
        return as_chunk(taken)

    def close(self) -> None:
        """Let go of the input."""
        self._stream.close()


def _pyav(reader: ForeignReader, stream: ByteStream) -> Iterator[Chunk]:
    import av

    try:
        container = cast(Any, av.open(cast(Any, _Readable(stream)), mode="r"))
        track = container.streams.audio[0]
        reader.audio = AudioFormat(track.rate, track.channels)
        reader.encoding = track.codec_context.name.removesuffix("float")
        planar = av.AudioResampler(format="fltp")
        for frame in container.decode(track):
            for part in planar.resample(frame):
                yield as_chunk(part.to_ndarray())
        for part in planar.resample(None):
            yield as_chunk(part.to_ndarray())
    except IndexError:
        reader.fault = InputError("holds no sound: name another file")
    except (av.FFmpegError, ValueError) as error:
        reader.fault = InputError(f"damaged or cut ({error}): get it again")


class _Readable:
    """The one method of a file that PyAV needs of a pipe."""

    def __init__(self, stream: ByteStream) -> None:
        self.read = stream.read


def _ffmpeg(reader: ForeignReader, path: Path | None) -> Iterator[Chunk]:
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError

    assert path is not None
    if path.stat().st_size > _FFMPEG_BYTES:
        raise InputError("too large for ffmpeg: pip install 'audiofix[formats]'")
    try:
        segment = AudioSegment.from_file(path)
    except (CouldntDecodeError, IndexError) as error:
        raise InputError("cannot be decoded by ffmpeg: get it again") from error
    reader.audio = AudioFormat(segment.frame_rate, segment.channels)
    reader.encoding = path.suffix.lstrip(".").lower()
    scale = 2.0 ** (1 - 8 * segment.sample_width)
    samples = np.array(segment.get_array_of_samples()) * scale
    yield as_chunk(samples.reshape(-1, segment.channels).T)
