"""The types of output that there are, and what each can hold."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from audiofix.audio.format import AudioFormat
from audiofix.audio.pcm import HEADERLESS, Encoding
from audiofix.errors import UsageError

BITS: Mapping[str, Encoding] = {
    "16": Encoding("signed", 16),
    "24": Encoding("signed", 24),
    "32": Encoding("signed", 32),
    "32f": Encoding("float", 32),
    "64f": Encoding("float", 64),
}
"""Sample format -> encoding."""

_ALL_BITS = tuple(BITS)
_CONTAINERS: Mapping[str, tuple[str, ...]] = {
    "wav": _ALL_BITS,
    "rf64": _ALL_BITS,
    "w64": _ALL_BITS,
    "caf": _ALL_BITS,
    "au": _ALL_BITS,
    "aiff": _ALL_BITS,
    "flac": ("16", "24"),
    "ogg": (),
    "opus": (),
    "mp3": (),
    "m4a": (),
    "aac": (),
}
"""Type -> the sample formats it can hold; none where the codec has no such thing."""

AAC = ("m4a", "aac")
"""Types that PyAV writes, of the extra `formats`."""

TYPES: tuple[str, ...] = (*_CONTAINERS, *HEADERLESS)
"""Every type that can be written."""

_EXTENSIONS = {"aif": "aiff", "aifc": "aiff", "oga": "ogg", "wave": "wav", "snd": "au"}
EXTENSIONS = frozenset({*_CONTAINERS, *_EXTENSIONS, "mp4", "m4b", "wma"})
"""How the names of audio files end, those too that are only read."""

_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_RATES = (*_MP3_RATES, 64000, 88200, 96000)
_RATES = {"opus": _OPUS_RATES, "mp3": _MP3_RATES, "m4a": _AAC_RATES, "aac": _AAC_RATES}
_MOST_CHANNELS = {"mp3": 2, "flac": 8, "m4a": 2, "aac": 2}


def type_of(path: str | Path, kind: str | None = None) -> str:
    """Return the output type: `kind`, else the extension's; `wav` for a pipe and for no extension.

    Raises:
        UsageError: there is no such type, or it needs a library that is absent.
    """
    what = f"type {kind}"
    if kind is None:
        if str(path) == "-":
            what = "AUDIOFIX_PIPE"
            kind = os.environ.get("AUDIOFIX_PIPE") or "wav"
        else:
            what = str(path)
            extension = Path(path).suffix.lstrip(".").lower()
            kind = _EXTENSIONS.get(extension, extension) or "wav"
    if kind not in TYPES:
        raise UsageError(f"{what}: no type that can be written: use one of {', '.join(TYPES)}")
    if kind in AAC and not find_spec("av"):
        raise UsageError(f"{what}: needs an encoder: pip install 'audiofix[formats]'")
    return kind


def type_like(source: Path) -> str:
    """Return the type of a file by its name, `wav` where that cannot be written."""
    try:
        return type_of(source)
    except UsageError:
        return "wav"


def encoding_of(kind: str, bits: str | None, like: str) -> Encoding:
    """Return how samples are stored in a type.

    Args:
        kind: the type.
        bits: the sample format that was asked for, None where none was.
        like: the sample format to come near to otherwise.

    Raises:
        UsageError: the type cannot hold `bits`.
    """
    if kind in HEADERLESS:
        if bits is not None:
            raise UsageError(f"-b {bits}: the type {kind} says it already: leave -b out")
        return HEADERLESS[kind]
    allowed = _CONTAINERS[kind]
    if bits is not None and bits not in allowed:
        what = f"holds {', '.join(allowed)}" if allowed else "has no sample format"
        raise UsageError(f"-b {bits}: {kind} {what}: choose another type or leave -b out")
    if not allowed:
        return BITS["32f"]
    wanted = bits or like
    return BITS[wanted if wanted in allowed else allowed[-1]]


def check_format(kind: str, audio: AudioFormat) -> None:
    """Refuse a rate or a number of channels that a type cannot hold.

    Raises:
        UsageError: it cannot.
    """
    rates = _RATES.get(kind)
    if rates and audio.rate not in rates:
        raise UsageError(f"{kind}: cannot hold {audio.rate} Hz: use {', '.join(map(str, rates))}")
    if audio.channels > _MOST_CHANNELS.get(kind, audio.channels):
        raise UsageError(f"{kind}: cannot hold {audio.channels} channels: use -t wav")
