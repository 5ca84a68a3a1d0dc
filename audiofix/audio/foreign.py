"""What libsndfile lacks (AAC, WMA, ...) or needs a length for: by PyAV or by ffmpeg."""

import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from audiofix.audio.bytestream import ByteStream
from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.errors import InputError

Decoder = Literal["pyav", "ffmpeg"]

_BLOCK_SAMPLES = 1 << 16


def decoder_here() -> Decoder | None:
    """Return what can decode foreign formats here; only PyAV reads a pipe as it comes."""
    if find_spec("av"):
        return "pyav"
    return "ffmpeg" if shutil.which("ffmpeg") and shutil.which("ffprobe") else None


class ForeignReader:
    """Chunks out of whatever FFmpeg's libraries decode."""

    samples: int | None = None

    def __init__(
        self, decoder: Decoder, source: Path | BinaryIO | ByteStream, encoding: str = ""
    ) -> None:
        """Open a file, or a stream that is closed at the end.

        Args:
            decoder: what decodes; `ffmpeg` needs a file.
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

    def skip(self, samples: int) -> int:
        """Pass over nothing: these decoders begin at the beginning."""
        del samples
        return 0

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
    assert not isinstance(path, ByteStream)
    file, descriptors = _file_url(path)
    stated = _probed(file, descriptors)
    channels = int(stated["channels"])
    reader.audio = AudioFormat(int(stated["sample_rate"]), channels)
    reader.encoding = str(stated["codec_name"]).removesuffix("float")
    padding = _padding(file, descriptors, stated)
    held = empty_chunk(channels)
    command: list[str | bytes] = ["ffmpeg", "-nostdin", "-v", "error", "-i", file, "-map", "0:a:0"]
    command += ["-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, pass_fds=descriptors
        ) as process,
    ):
        try:
            assert process.stdout
            while data := process.stdout.read(_BLOCK_SAMPLES * 4 * channels):
                whole = np.frombuffer(data[: len(data) // (4 * channels) * 4 * channels], "<f4")
                held = np.concatenate([held, whole.reshape(-1, channels).T], axis=1)
                ready = max(0, held.shape[1] - padding)
                yield as_chunk(held[:, :ready])
                held = held[:, ready:]
            if process.wait():
                errors.seek(0)
                reader.fault = InputError(f"damaged or cut ({_last_line(errors)}): get it again")
        finally:
            process.kill()  # its remaining output is not wanted, or there is none


def _file_url(source: Path | BinaryIO) -> tuple[bytes, tuple[int, ...]]:
    """Return what ffmpeg calls a file, and the descriptors that it needs for that."""
    if isinstance(source, Path):
        return b"file:" + os.fsencode(source), ()  # a name with a colon is no protocol
    return b"file:/dev/fd/%d" % source.fileno(), (source.fileno(),)


def _padding(file: bytes, descriptors: tuple[int, ...], track: Mapping[str, Any]) -> int:
    """Return how many samples the encoder added at the end, which ffmpeg decodes.

    MP4 counts in samples, and its last packet says how many of them are not padding. Its edit list
    says so, too, but in milliseconds.
    """
    if track.get("time_base") != f"1/{track['sample_rate']}":
        return 0
    command: list[str | bytes] = ["ffprobe", "-v", "error", "-ignore_editlist", "1"]
    command += ["-select_streams", "a:0", "-of", "csv=p=0"]
    command += ["-show_entries", "packet=duration", file]
    first = last = 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            text = line.strip(b",\r\n ")
            last = int(text) if text.isdigit() else 0
            first = first or last
    return max(0, first - last)


def _probed(file: bytes, descriptors: tuple[int, ...]) -> Mapping[str, Any]:
    """Return what ffprobe says of the first track of sound."""
    command: list[str | bytes] = ["ffprobe", "-v", "error", "-select_streams", "a:0"]
    command += ["-of", "json", "-show_entries"]
    command += ["stream=codec_name,sample_rate,channels,time_base", file]
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, pass_fds=descriptors
    )
    try:
        (track,) = json.loads(done.stdout)["streams"]
    except (ValueError, LookupError, TypeError) as error:
        reason = _last_line(io.BytesIO(done.stderr)) or "no sound in it"
        raise InputError(f"cannot be decoded by ffmpeg ({reason}): get it again") from error
    if not (int(track.get("sample_rate", 0)) > 0 and int(track.get("channels", 0)) > 0):
        raise InputError("cannot be decoded by ffmpeg: get it again")
    return cast(Mapping[str, Any], track)


def _last_line(stream: IO[bytes]) -> str:
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
