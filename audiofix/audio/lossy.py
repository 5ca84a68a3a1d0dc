"""Sound through a real lossy codec and back, in memory: what training and evaluation damage with.

MP3 by LAME, AAC and Opus by FFmpeg's libraries through PyAV; Vorbis through libsndfile. The files'
own notes on delay and padding are honoured, so what comes back lies where it was.
"""

import io
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import soundfile
import soxr

from audiofix.audio.foreign import ForeignReader
from audiofix.audio.format import Chunk, as_chunk, empty_chunk
from audiofix.errors import InputError, UsageError

LossyCodec = Literal["mp3", "aac", "opus", "vorbis"]

_ENCODERS = {"mp3": ("libmp3lame", "mp3"), "aac": ("aac", "mp4"), "opus": ("libopus", "ogg")}
"""FFmpeg's names of encoder and container."""

_RATES = {
    "mp3": (44100, 48000, 32000),
    "opus": (48000,),
    "aac": (44100, 48000, 32000, 24000, 16000),
}
_MPEG1_KBPS = 32
"""Lowest bit rate of an MP3 of 32 kHz or more; below it, encoders halve the rate."""

_HALVED_RATES = {44100: 22050, 48000: 24000, 32000: 16000}

_VORBIS_KBPS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
"""Nominal bit rates of Vorbis's qualities 0 to 10, 44.1 kHz stereo."""

_LAMBDA = 118
"""FFmpeg's FF_QP2LAMBDA: its unit of quality."""

_READ_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class Coding:
    """A codec and how it is run.

    Attributes:
        codec: one of `LossyCodec`.
        kbps: bit rate of the whole stream, in kbit/s.
        quality: of MP3's variable bit rate, 0 (best) to 9; None for a constant `kbps`.
    """

    codec: LossyCodec
    kbps: int = 128
    quality: int | None = None

    def __str__(self) -> str:
        return f"{self.codec}:{self.kbps}k" if self.quality is None else f"mp3:v{self.quality}"


def parse_coding(word: str) -> Coding:
    """Return what `mp3:64k`, `aac:48k`, `opus:32k`, `vorbis:96k` or `mp3:v4` means.

    Raises:
        UsageError: it means nothing.
    """
    codec, _, amount = word.strip().lower().partition(":")
    digits = amount.removeprefix("v").removesuffix("k")
    if codec in get_args(LossyCodec) and digits.isdecimal():
        if not amount.startswith("v") and 6 <= int(digits) <= 640:
            return Coding(cast(LossyCodec, codec), int(digits))
        if amount.startswith("v") and codec == "mp3" and int(digits) <= 9:
            return Coding("mp3", quality=int(digits))
    raise UsageError(f"codec {word}: unknown: name codec and bit rate, as mp3:64k or opus:32k")


def coded(samples: Chunk, rate: int, coding: Coding) -> Chunk:
    """Return `samples` `[1 or 2, n]` as they come back from a codec: same rate, length and place.

    Raises:
        InputError: there are more than two channels.
        UsageError: PyAV, or the codec in it, is not installed.
    """
    if not samples.shape[1]:
        return samples.copy()
    come, own_rate = _decoded(encoded(samples, rate, coding), coding)
    sent_samples = -(-samples.shape[1] * own_rate // rate)
    return _fitted(_resampled(_fitted(come, sent_samples), own_rate, rate), samples.shape[1])


def encoded(samples: Chunk, rate: int, coding: Coding) -> bytes:
    """Return the coded file of `samples` `[1 or 2, n]`, in the codec's usual container.

    Raises:
        InputError: there are more than two channels.
        UsageError: PyAV, or the codec in it, is not installed.
    """
    if samples.shape[0] > 2:
        raise InputError(f"{samples.shape[0]} channels: lossy codecs are tried on 1 or 2: mix down")
    own_rate = _coding_rate(rate, coding)
    sent = _resampled(samples, rate, own_rate)
    encode = _vorbis_file if coding.codec == "vorbis" else _ffmpeg_file
    return encode(sent, own_rate, coding)


def _coding_rate(rate: int, coding: Coding) -> int:
    """Return the rate at which a codec works on sound of `rate`."""
    rates = _RATES.get(coding.codec, (rate,))
    own = rate if rate in rates else rates[0]
    low = coding.codec == "mp3" and coding.quality is None and coding.kbps < _MPEG1_KBPS
    return _HALVED_RATES[own] if low else own


def _ffmpeg_file(samples: Chunk, rate: int, coding: Coding) -> bytes:
    try:
        import av
    except ModuleNotFoundError as error:
        raise UsageError("av: not installed: pip install 'audiofix[formats]'") from error
    encoder, container_format = _ENCODERS[coding.codec]
    layout = "stereo" if len(samples) == 2 else "mono"
    file = io.BytesIO()
    try:
        with cast(Any, av.open(file, "w", format=container_format)) as container:
            stream = container.add_stream(encoder, rate=rate, layout=layout)
            if coding.quality is None:
                stream.bit_rate = 1000 * coding.kbps
            else:
                quality = str(_LAMBDA * coding.quality)
                stream.options = {"flags": "+qscale", "global_quality": quality}
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, 0
            for packets in (stream.encode(frame), stream.encode(None)):
                container.mux(packets)
    except (av.FFmpegError, ValueError) as error:
        raise UsageError(f"codec {coding}: not to be had here ({error}): use another") from error
    return file.getvalue()


def _vorbis_file(samples: Chunk, rate: int, coding: Coding) -> bytes:
    quality = float(np.interp(coding.kbps, _VORBIS_KBPS, np.linspace(0, 1, len(_VORBIS_KBPS))))
    file = io.BytesIO()
    soundfile.write(
        file, samples.T, rate, format="OGG", subtype="VORBIS", compression_level=1 - quality
    )
    return file.getvalue()


def _decoded(file: bytes, coding: Coding) -> tuple[Chunk, int]:
    """Return the sound in a coded file, and its rate."""
    if coding.codec == "vorbis":
        read, rate = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)
        return as_chunk(read.T), rate
    reader = ForeignReader("pyav", io.BytesIO(file))
    chunks = [empty_chunk(reader.audio.channels)]
    while (chunk := reader.read(_READ_SAMPLES)).shape[1]:
        chunks.append(chunk)
    reader.close()
    return np.concatenate(chunks, axis=1), reader.audio.rate


def _resampled(samples: Chunk, rate: int, result_rate: int) -> Chunk:
    if rate == result_rate:
        return samples
    resampled = soxr.resample(samples.T, rate, result_rate, "VHQ")
    return as_chunk(resampled.reshape(-1, len(samples)).T)


def _fitted(samples: Chunk, count: int) -> Chunk:
    """Return exactly `count` samples, zeros at the end where some are missing."""
    missing = max(0, count - samples.shape[1])
    return as_chunk(np.pad(samples[:, :count], ((0, 0), (0, missing))))
