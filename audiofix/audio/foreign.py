"""What libsndfile lacks (AAC, WMA, ...) or needs a length for: by PyAV or by ffmpeg."""

import shutil
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

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

    def __init__(
        self, decoder: Decoder, source: Path | BinaryIO | ByteStream, encoding: str = ""
    ) -> None:
        """Open a file, or a stream that is closed at the end.

        Args:
            decoder: what decodes; `ffmpeg` needs a path.
            source: where the bytes are; a `ByteStream` is read as it arrives.
            encoding: how its samples are stored, where that is known; else the codec's name.

        Raises:
            InputError: it holds no sound, or nothing of it can be decoded.
        """
        self.fault: InputError | None = None
        self._source = source
        self._frames = _pyav(self, source) if decoder == "pyav" else _ffmpeg(self, source)
        self.audio, self.encoding = AudioFormat(1, 1), ""
        self._held = empty_chunk(1)
        first = next(self._frames, None)  # sets audio and encoding on the way
        if first is None:
            raise self.fault or InputError("holds no sound: get the file again")
        self.encoding = encoding or self.encoding
        self._held = first

    def read(self, samples: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return up to `samples` samples, none only at the end."""
        while not self._held.shape[1]:
            frame = next(self._frames, None)
            if frame is None:
                return empty_chunk(self.audio.channels)
            self._held = frame
        taken, self._held = self._held[:, :samples], self._held[:, samples:]
        return np.ascontiguousarray(taken, dtype)

    def close(self) -> None:
        """Let go of the input."""
        self._frames.close()
        if not isinstance(self._source, Path):
            self._source.close()


def _pyav(reader: ForeignReader, source: Path | BinaryIO | ByteStream) -> Generator[Chunk]:
    import av

    try:
        # The index of an ordinary M4A lies at its end: only a ByteStream cannot seek.
        file = str(source) if isinstance(source, Path) else source
        with cast(Any, av.open(cast(Any, file), mode="r")) as container:
            track = container.streams.audio[0]
            reader.audio = AudioFormat(track.rate, track.channels)
            reader.encoding = track.codec_context.name.removesuffix("float")
            yield from _decoded(container, track)
    except IndexError:
        reader.fault = InputError("holds no sound: name another file")
    except (av.FFmpegError, ValueError) as error:
        reader.fault = InputError(f"damaged or cut ({error}): get it again")


def _decoded(container: Any, track: Any) -> Iterator[Chunk]:
    import av

    planar = av.AudioResampler(format="fltp")
    # MP4 counts in samples, and its last frame says how many of them are not padding.
    counts_samples = track.time_base * track.rate == 1
    for frame in container.decode(track):
        stated = frame.duration if counts_samples else 0
        for part in planar.resample(frame):
            yield as_chunk(part.to_ndarray()[:, : stated or None])
    for part in planar.resample(None):
        yield as_chunk(part.to_ndarray())


def _ffmpeg(reader: ForeignReader, path: Path | BinaryIO | ByteStream) -> Generator[Chunk]:
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError

    assert isinstance(path, Path)
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
