import pytest

from audiofix.audio import types
from audiofix.audio.format import AudioFormat
from audiofix.audio.types import check_format, encoding_of, type_like, type_of
from audiofix.errors import UsageError


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [("a.flac", None, "flac"), ("a.AIF", None, "aiff"), ("a", None, "wav"), ("a.b/c", None, "wav"),
     ("a.flac", "ogg", "ogg"), ("-", None, "wav"), ("a.wave", None, "wav"), ("a.m4a", None, "m4a"),
     ("a.s16le", None, "s16le")],
)  # fmt: skip
def test_type_comes_from_option_then_extension(name, kind, expected):
    assert type_of(name, kind) == expected


@pytest.mark.parametrize(("name", "kind"), [("a.xyz", None), ("a.afc", None), ("a.wav", "wave")])
def test_what_cannot_be_written_is_refused_with_what_can(name, kind):
    with pytest.raises(UsageError, match="no type that can be written: use one of wav, rf64"):
        type_of(name, kind)


def test_the_pipes_type_is_checked_too(monkeypatch):
    monkeypatch.setenv("AUDIOFIX_PIPE", "s24le")
    assert type_of("-") == "s24le"
    monkeypatch.setenv("AUDIOFIX_PIPE", "s25le")
    with pytest.raises(UsageError, match="AUDIOFIX_PIPE: no type"):
        type_of("-")


def test_aac_needs_its_library(monkeypatch):
    monkeypatch.setattr(types, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install"):
        type_of("a.m4a")


def test_an_input_that_cannot_be_written_becomes_wav():
    from pathlib import Path

    assert [type_like(Path(name)) for name in ("a.wma", "a.flac", "a")] == ["wav", "flac", "wav"]


def test_sample_formats():
    assert encoding_of("wav", None, "24").name == "s24le"
    assert encoding_of("flac", None, "32f").bits == 24
    assert encoding_of("flac", "16", "24").bits == 16
    assert encoding_of("mp3", None, "16").kind == "float"


def test_channels_and_rates():
    check_format("wav", AudioFormat(1, 200))
    for kind, rate, channels in (("m4a", 44100, 3), ("opus", 44100, 1), ("flac", 44100, 9)):
        with pytest.raises(UsageError, match="cannot hold"):
            check_format(kind, AudioFormat(rate, channels))
