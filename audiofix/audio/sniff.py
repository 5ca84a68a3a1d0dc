"""What a stream is, by its first bytes and never by its name."""

from typing import Literal

Container = Literal[
    "wav", "rifx", "rf64", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3", "mp4", "adts", "asf",
    "afc",
]  # fmt: skip

SNIFF_BYTES = 64

_W64_GUID = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


def sniff(head: bytes) -> Container | None:
    """Return what begins with `head` (at least `SNIFF_BYTES` unless shorter), or None."""
    form = head[8:12]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and form == b"WAVE":
        return {b"RIFF": "wav", b"RIFX": "rifx"}.get(head[:4], "rf64")  # type: ignore[return-value]
    if head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:16] == _W64_GUID:
        return "w64"
    if head[:16] == _ASF_GUID:
        return "asf"
    # Damage to the marker of codes is no loss: a second header follows the first.
    if head[26:37] == b'{"version":':
        return "afc"
    starts: dict[bytes, Container] = {
        b".snd": "au", b"caff": "caf", b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3",
        b"AFC1": "afc",
    }  # fmt: skip
    for start, container in starts.items():
        if head.startswith(start):
            return container
    return _mpeg(head)


def _mpeg(head: bytes) -> Container | None:
    """Recognise a bare MPEG audio frame or an ADTS frame by its sync word and legal fields."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13:
        return "adts"
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    legal = head[1] >= 0xE0 and version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3
    return "mp3" if legal else None
