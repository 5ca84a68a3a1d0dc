import pytest

from audiofix.audio.sniff import sniff


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RIFF\0\0\0\0WAVE", "wav"), (b"RIFX\0\0\0\0WAVE", "rifx"), (b"RF64\0\0\0\0WAVE", "rf64"),
        (b"BW64\0\0\0\0WAVE", "rf64"), (b"RIFF\0\0\0\0AVI ", None), (b"FORM\0\0\0\0AIFC", "aiff"),
        (b"\0\0\0\x20ftypM4A ", "mp4"), (b".snd\0\0\0\x18", "au"), (b"caff\0\1", "caf"),
        (b"fLaC\0\0\0\x22", "flac"), (b"OggS\0\2", "ogg"), (b"ID3\4\0", "mp3"),
        (b"\xff\xfb\x90\x64", "mp3"), (b"\xff\xf3\x40\xc4", "mp3"), (b"\xff\xf1\x50\x80", "adts"),
        (b"\xff\xff\xff\xff", None), (b"\xff\xfb\xf0\x64", None), (b"AFC1", "afc"),
        (bytes(26) + b'{"version":1', "afc"),
        (b"hello world", None), (b"", None), (b"\xff", None),
    ],
)  # fmt: skip
def test_first_bytes_decide(head, expected):
    assert sniff(head) == expected
