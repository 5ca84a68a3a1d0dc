"""What a lossy file says of its coding: bit rate and encoder."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen import mp3

from audiofix.audio.mpeg import encoder_of

log = logging.getLogger(__name__)

_LOSSY = ("mp3", "ogg", "opus", "m4a", "mp4", "aac", "adts", "vorbis", "wma", "asf")
_MP4_ENCODER = "\xa9too"


@dataclass(frozen=True, slots=True)
class CodedFile:
    """How a file was coded.

    Attributes:
        kbps: mean bit rate in kbit/s, None where it is not known.
        mode: of MP3: `constant`, `average` or `variable`; else empty.
        encoder: the program, as the file names it; else empty.
    """

    kbps: float | None = None
    mode: str = ""
    encoder: str = ""


def coded_file(path: Path, container: str) -> CodedFile | None:
    """Return how a lossy file was coded; None for others, and where nothing can be told."""
    if container not in _LOSSY:
        return None
    try:
        opened: Any = mutagen.File(path)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        log.info("%s: coding not read: %s", path, error)
        return None
    if opened is None:
        return None
    bits_per_second = getattr(opened.info, "bitrate", 0)
    if not bits_per_second and opened.info.length:
        # Opus tells none.
        bits_per_second = 8 * path.stat().st_size / opened.info.length
    mode = str(getattr(opened.info, "bitrate_mode", "")).rpartition(".")[2].lower()
    words = {"cbr": "constant", "abr": "average", "vbr": "variable"}
    return CodedFile(bits_per_second / 1000 or None, words.get(mode, ""), _encoder(path, opened))


def _encoder(path: Path, opened: Any) -> str:
    """Return the program's name: the tag in an MP3's first frame, MP4's tool, Ogg's vendor."""
    if isinstance(opened, mp3.MP3):
        with path.open("rb") as file:
            return encoder_of(file)
    tags = opened.tags
    tool = tags.get(_MP4_ENCODER, [""])[0] if tags and not hasattr(tags, "vendor") else ""
    return str(tool or getattr(tags, "vendor", ""))
