import numpy as np
import pytest
import soundfile

from audiofix.audio.tags import Picture, Tags, read_tags, write_tags

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
TAGS = Tags(
    {"title": ["Übung"], "artist": ["A", "B"], "album": ["C"], "date": ["2024"], "comment": ["x"]},
    (Picture("image/png", PNG, 3, "front"),),
)


@pytest.mark.parametrize("source", ["flac", "ogg", "opus", "mp3", "aiff", "wav"])
@pytest.mark.parametrize("result", ["flac", "ogg", "opus", "mp3", "aiff", "wav"])
def test_tags_and_cover_move_between_any_two_types(tmp_path, source, result):
    formats = {"opus": ("OGG", "OPUS"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", None)}
    for kind in {source, result}:
        container, subtype = formats.get(kind, (kind.upper(), None))
        soundfile.write(tmp_path / kind, np.zeros(9600), 48000, subtype, format=container)
    write_tags(tmp_path / source, source, TAGS)
    first = read_tags(tmp_path / source, source)
    if source != result:
        write_tags(tmp_path / result, result, first)
    assert read_tags(tmp_path / result, result) == TAGS
    assert soundfile.info(tmp_path / result).frames == pytest.approx(9600, abs=2400)


@pytest.mark.parametrize("source", ["flac", "ogg", "mp3", "wav"])
@pytest.mark.parametrize("name", ["x.wav", "x.mp3", "x.txt"])
def test_the_content_tells_what_tags_there_are(tmp_path, caplog, source, name):
    container, subtype = {"ogg": ("OGG", "VORBIS")}.get(source, (source.upper(), None))
    soundfile.write(tmp_path / "sound", np.zeros(9600), 48000, subtype, format=container)
    write_tags(tmp_path / "sound", source, TAGS)
    (tmp_path / "sound").rename(tmp_path / name)
    assert read_tags(tmp_path / name, source) == TAGS
    assert not caplog.records


def test_riff_info_is_read(tmp_path):
    with soundfile.SoundFile(tmp_path / "x.wav", "w", 8000, 1) as file:
        file.title = "old school"
        file.write(np.zeros(10))
    assert read_tags(tmp_path / "x.wav", "wav").fields == {"title": ["old school"]}


@pytest.mark.parametrize("kind", [{"format": "RF64"}, {"format": "WAV", "endian": "BIG"}])
def test_a_wav_of_another_kind_is_not_damaged(tmp_path, caplog, kind):
    soundfile.write(tmp_path / "x.wav", np.zeros(10), 8000, **kind)
    assert not read_tags(tmp_path / "x.wav", "wav")
    assert not caplog.records


def test_damaged_tags_are_no_tags(tmp_path):
    (tmp_path / "x.mp3").write_bytes(b"ID3\x04\0\0\0\0\xff\xff" + bytes(100))
    assert not read_tags(tmp_path / "x.mp3", "mp3")
