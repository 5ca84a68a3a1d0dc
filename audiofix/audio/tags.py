"""Title, artist, cover and the like, from one file to another."""

import base64
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen
import soundfile
from mutagen import aiff, flac, id3, mp3, mp4, oggopus, oggvorbis, wave

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
    "mp3": mp3.MP3, "aiff": aiff.AIFF, "wav": wave.WAVE,
}  # fmt: skip
_COVER_BLOCK = "metadata_block_picture"


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
        opened: Any = mutagen.File(path)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        log.info("%s: tags not read: %s", path, error)
        return Tags()
    tags = getattr(opened, "tags", None)
    if isinstance(tags, id3.ID3):
        return _from_id3(tags)
    if isinstance(tags, mp4.MP4Tags):
        return _from_mp4(tags)
    if tags:
        return _from_vorbis(opened)
    return _from_libsndfile(path) if container in ("wav", "rf64", "aiff", "caf") else Tags()


def write_tags(path: Path, container: str, tags: Tags) -> None:
    """Put tags into a finished file, where its format can hold them."""
    if not tags:
        return
    if container not in _WRITERS:
        log.info("%s files hold no tags; %d fields left out", container, len(tags.fields))
        return
    writer: Any = _WRITERS[container]
    opened = writer(path)
    if container in ("flac", "ogg", "opus"):
        _to_vorbis(opened, tags)
    else:
        _to_id3(opened, tags)
    opened.save()


def _from_vorbis(opened: Any) -> Tags:
    fields: dict[str, list[str]] = {}
    for name, value in opened.tags:
        fields.setdefault(name.lower(), []).append(value)
    blocks = [flac.Picture(base64.b64decode(block)) for block in fields.pop(_COVER_BLOCK, [])]
    pictures = [*getattr(opened, "pictures", []), *blocks]
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


def _from_libsndfile(path: Path) -> Tags:
    """Return the strings of a RIFF INFO list and its kin, which mutagen does not read."""
    try:
        with soundfile.SoundFile(path) as opened:
            found = {name: value for name, value in opened.copy_metadata().items() if value}
    except soundfile.LibsndfileError:
        return Tags()
    found.pop("software", None)
    return Tags({name: [value] for name, value in found.items()})


def _to_vorbis(opened: Any, tags: Tags) -> None:
    for name, values in tags.fields.items():
        opened[name] = values
    blocks = []
    for picture in tags.pictures:
        block = flac.Picture()
        block.mime, block.data = picture.mime, picture.data
        block.type, block.desc = picture.kind, picture.description
        blocks.append(block)
    if isinstance(opened, flac.FLAC):
        for block in blocks:
            opened.add_picture(block)
    elif blocks:
        opened[_COVER_BLOCK] = [base64.b64encode(block.write()).decode() for block in blocks]


def _to_id3(opened: Any, tags: Tags) -> None:
    if opened.tags is None:
        opened.add_tags()
    for name, values in tags.fields.items():
        if name in _ID3:
            frame: Any = _ID3[name]
            opened.tags.add(frame(encoding=3, text=values))
        elif name == "comment":
            opened.tags.add(id3.COMM(encoding=3, lang="XXX", desc="", text=values))
        else:
            opened.tags.add(id3.TXXX(encoding=3, desc=name, text=values))
    for picture in tags.pictures:
        opened.tags.add(
            id3.APIC(
                encoding=3,
                mime=picture.mime,
                type=picture.kind,
                desc=picture.description,
                data=picture.data,
            )
        )
