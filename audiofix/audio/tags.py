"""Title, artist, cover and the like, from one file to another."""

import base64
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen
import soundfile
from mutagen import aiff, flac, id3, mp3, mp4, oggopus, oggvorbis, wave
from mutagen._vorbis import VComment

log = logging.getLogger(__name__)

_ID3 = {
    "title": id3.TIT2, "artist": id3.TPE1, "album": id3.TALB, "albumartist": id3.TPE2,
    "date": id3.TDRC, "tracknumber": id3.TRCK, "discnumber": id3.TPOS, "genre": id3.TCON,
    "composer": id3.TCOM, "copyright": id3.TCOP, "isrc": id3.TSRC,
}  # fmt: skip
_MP4 = {
    "title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "albumartist": "aART",
    "date": "\xa9day", "genre": "\xa9gen", "composer": "\xa9wrt", "comment": "\xa9cmt",
    "copyright": "cprt",
}  # fmt: skip
_WRITERS = {
    "flac": flac.FLAC, "ogg": oggvorbis.OggVorbis, "opus": oggopus.OggOpus,
    "mp3": mp3.MP3, "aiff": aiff.AIFF, "wav": wave.WAVE, "m4a": mp4.MP4,
}  # fmt: skip
_ASF = {
    "Title": "title", "Author": "artist", "WM/AlbumTitle": "album",
    "WM/AlbumArtist": "albumartist", "WM/Year": "date", "WM/TrackNumber": "tracknumber",
    "WM/PartOfSet": "discnumber", "WM/Genre": "genre", "WM/Composer": "composer",
    "Copyright": "copyright", "WM/ISRC": "isrc", "Description": "comment", "Track": "tracknumber",
    "Year": "date",
}  # fmt: skip
_COVER_BLOCK = "metadata_block_picture"
_LARGEST_FLAC_BLOCK = (1 << 24) - 1

_FAULTS = (
    mutagen.MutagenError, ValueError, TypeError, LookupError, AttributeError, EOFError,
    OverflowError, struct.error,
)  # fmt: skip
"""What mutagen raises where tags make no sense to it."""

_OTHER_RIFF = (b"RIFX", b"RF64", b"BW64")
"""How files begin that are WAVs, though mutagen denies it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A cover or another picture; `kind` is ID3's number, 3 for the front cover."""

    mime: str
    data: bytes
    kind: int = 3
    description: str = ""


@dataclass(frozen=True, slots=True)
class Tags:
    """Fields under their Vorbis names, lower case, and pictures."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.pictures)


def read_tags(path: Path, container: str) -> Tags:
    """Return the tags of a file; damaged or unknown ones are left out, never an error."""
    try:
        opened = _recognised(path)
        tags = getattr(opened, "tags", None)
        if isinstance(tags, id3.ID3):
            return _from_id3(tags)
        if isinstance(tags, mp4.MP4Tags):
            return _from_mp4(tags)
        if isinstance(tags, VComment):
            return _from_vorbis(path, opened)
        if tags:
            return _from_others(path, tags)
    except (*_FAULTS, OSError) as error:
        log.warning("%s: damaged tags left out: %s", path, error)
        return Tags()
    return _from_libsndfile(path) if container in ("wav", "rf64", "aiff", "caf") else Tags()


def _recognised(path: Path) -> Any:
    """Return mutagen's object of a file, by its content, and by its name only where need be."""
    # A file opened by number has no name for mutagen to go by.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as nameless:
        if nameless.read(4) in _OTHER_RIFF:
            return None
        nameless.seek(0)
        opened = mutagen.File(nameless)
    return mutagen.File(path) if opened is None else opened


def write_tags(path: Path, container: str, tags: Tags, name: str | None = None) -> None:
    """Put tags into a finished file, where its format can hold them.

    What cannot be carried over is left out and named in a warning: tags never end a job.

    Args:
        path: the file.
        container: its type.
        tags: what to write.
        name: what messages call the file; None for its own name.

    Raises:
        OSError: the file cannot be written.
    """
    if not tags:
        return
    if container not in _WRITERS:
        log.info("%s files hold no tags; %d fields left out", container, len(tags.fields))
        return
    vorbis = container in ("flac", "ogg", "opus")
    add_field = _add_vorbis_field if vorbis else _add_id3_field
    add_picture = _add_vorbis_picture if vorbis else _add_id3_picture
    if container == "m4a":
        add_field, add_picture = _add_mp4_field, _add_mp4_picture
    left_out: list[str] = []
    try:
        opened: Any = _WRITERS[container](path)  # type: ignore[no-untyped-call]
        if opened.tags is None:
            opened.add_tags()
        for field_name, values in tags.fields.items():
            with _noting(left_out, field_name):
                add_field(opened, field_name, values)
        for picture in tags.pictures:
            with _noting(left_out, f"a picture of {len(picture.data)} bytes"):
                add_picture(opened, picture)
        opened.save()
    except _FAULTS as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, OSError):
            raise cause from error
        left_out = [f"all ({error})"]
    if left_out:
        log.warning("%s: tags left out: %s", name or path, ", ".join(left_out))


@contextmanager
def _noting(left_out: list[str], what: str) -> Iterator[None]:
    """Note what one tag that cannot be written was, and go on."""
    try:
        yield
    except _FAULTS:
        left_out.append(what or "a field without a name")


def _from_vorbis(path: Path, opened: Any) -> Tags:
    fields: dict[str, list[str]] = {}
    for name, value in opened.tags:
        fields.setdefault(name.lower(), []).append(value)
    pictures = list(getattr(opened, "pictures", []))
    for block in fields.pop(_COVER_BLOCK, []):
        try:
            pictures.append(flac.Picture(base64.b64decode(block)))
        except _FAULTS:
            log.warning("%s: damaged cover left out", path)
    fields.pop("encoder", None)
    return Tags(fields, tuple(Picture(p.mime, p.data, p.type, p.desc) for p in pictures))


def _from_id3(tags: Any) -> Tags:
    fields = {
        name: [str(value) for value in tags[frame.__name__].text]
        for name, frame in _ID3.items()
        if frame.__name__ in tags
    }
    comments = [str(value) for frame in tags.getall("COMM") for value in frame.text]
    if comments:
        fields["comment"] = comments
    pictures = [Picture(p.mime, p.data, int(p.type), p.desc) for p in tags.getall("APIC")]
    return Tags(fields, tuple(pictures))


def _from_mp4(tags: Any) -> Tags:
    fields = {name: [str(v) for v in tags[atom]] for name, atom in _MP4.items() if atom in tags}
    for name, atom in (("tracknumber", "trkn"), ("discnumber", "disk")):
        if atom in tags:
            number, total = tags[atom][0]
            fields[name] = [f"{number}/{total}" if total else str(number)]
    mimes = {mp4.MP4Cover.FORMAT_PNG: "image/png"}
    covers = tags.get("covr", [])
    pictures = [Picture(mimes.get(c.imageformat, "image/jpeg"), bytes(c)) for c in covers]
    return Tags(fields, tuple(pictures))


def _from_others(path: Path, tags: Any) -> Tags:
    """Return the fields of Windows Media and APE tags that have a Vorbis name."""
    fields: dict[str, list[str]] = {}
    left_out = []
    for key, found in tags.items():
        name = _ASF.get(key, key.lower())
        if name not in (*_ID3, "comment"):
            left_out.append(key)
            continue
        values = found if isinstance(found, list) else [found]
        fields[name] = [str(value) for value in values]
    if left_out:
        log.warning("%s: tags left out: %s", path, ", ".join(left_out))
    return Tags(fields)


def _from_libsndfile(path: Path) -> Tags:
    """Return the strings of a RIFF INFO list and its kin, which mutagen does not read."""
    try:
        with soundfile.SoundFile(path) as opened:
            found = {name: value for name, value in opened.copy_metadata().items() if value}
    except soundfile.LibsndfileError:
        return Tags()
    found.pop("software", None)
    return Tags({name: [value] for name, value in found.items()})


def _add_vorbis_field(opened: Any, name: str, values: list[str]) -> None:
    opened[name] = values


def _add_vorbis_picture(opened: Any, picture: Picture) -> None:
    block = flac.Picture()
    block.mime, block.data = picture.mime, picture.data
    block.type, block.desc = picture.kind, picture.description
    content = block.write()
    if not isinstance(opened, flac.FLAC):
        text = base64.b64encode(content).decode()
        opened[_COVER_BLOCK] = [*opened.get(_COVER_BLOCK, []), text]
    elif len(content) > _LARGEST_FLAC_BLOCK:
        raise ValueError("too large")
    else:
        opened.add_picture(block)


def _add_id3_field(opened: Any, name: str, values: list[str]) -> None:
    if name in _ID3:
        frame: Any = _ID3[name]
        opened.tags.add(frame(encoding=3, text=values))
    elif name == "comment":
        opened.tags.add(id3.COMM(encoding=3, lang="XXX", desc="", text=values))
    else:
        opened.tags.add(id3.TXXX(encoding=3, desc=name, text=values))


def _add_id3_picture(opened: Any, picture: Picture) -> None:
    opened.tags.add(
        id3.APIC(
            encoding=3,
            mime=picture.mime,
            type=picture.kind,
            desc=picture.description,
            data=picture.data,
        )
    )


def _add_mp4_field(opened: Any, name: str, values: list[str]) -> None:
    pairs = {"tracknumber": "trkn", "discnumber": "disk"}
    if name in pairs:
        number, _, total = values[0].partition("/")
        opened.tags[pairs[name]] = [(int(number), int(total or 0))]
    else:
        freeform = f"----:com.apple.iTunes:{name}"
        known = name in _MP4
        opened.tags[_MP4[name] if known else freeform] = (
            values if known else [value.encode() for value in values]
        )


def _add_mp4_picture(opened: Any, picture: Picture) -> None:
    is_png = picture.mime == "image/png"
    kind = mp4.MP4Cover.FORMAT_PNG if is_png else mp4.MP4Cover.FORMAT_JPEG
    opened.tags.setdefault("covr", []).append(mp4.MP4Cover(picture.data, kind))
