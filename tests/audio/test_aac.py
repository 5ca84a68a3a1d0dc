import mutagen
import numpy as np
import pytest
from corpus import tones

from audiofix.audio.format import AudioFormat
from audiofix.audio.sink import open_sink
from audiofix.audio.source import open_source
from audiofix.audio.tags import Tags

pytest.importorskip("av")


def written(path, x, rate=44100, **options):
    with open_sink(path, AudioFormat(rate, len(x)), **options) as sink:
        for start in range(0, x.shape[1], 3333):
            sink.write(x[:, start : start + 3333])
    with open_source(path) as source:
        parts = []
        while (chunk := source.read(1 << 16)).shape[1]:
            parts.append(chunk)
    return np.concatenate(parts, axis=1), source


@pytest.mark.parametrize("samples", [1, 1023, 1025, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp4_file_has_the_exact_length_and_is_in_time(tmp_path, samples, channels):
    x = np.stack([tones(place, samples) for place in range(channels)])
    y, source = written(tmp_path / "x.m4a", x)
    assert y.shape == x.shape and source.format == AudioFormat(44100, channels)
    if samples == 44_100:
        assert ((y - x) ** 2).mean() < 0.03 * (x**2).mean()


def test_a_bare_stream_is_the_same_but_for_its_padding(tmp_path):
    x = tones(1, 44_100)[None]
    y, source = written(tmp_path / "x.aac", x)
    assert source.container == "adts"
    assert ((y[:, 1024:][:, :44_100] - x) ** 2).mean() < 0.03 * (x**2).mean()


def test_tags_and_their_lack(tmp_path):
    tags = Tags({"title": ["Lied"], "artist": ["A", "B"]})
    written(tmp_path / "x.m4a", tones(1, 5000)[None], tags=tags)
    found = mutagen.File(tmp_path / "x.m4a").tags
    assert found["\xa9nam"] == ["Lied"] and found["\xa9ART"] == ["A", "B"]
