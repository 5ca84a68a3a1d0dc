import io

import numpy as np
import pytest
import soundfile

from audiofix.audio.ogg import is_whole
from audiofix.audio.source import open_source
from audiofix.errors import InputError


@pytest.fixture(params=["VORBIS", "OPUS"])
def content(request):
    file = io.BytesIO()
    x = 0.1 * np.random.default_rng(0).standard_normal(200_000)
    soundfile.write(file, x, 48000, request.param, format="OGG")
    return file.getvalue()


def test_the_end_is_told_by_the_last_page(content):
    assert is_whole(io.BytesIO(content))
    for cut in (len(content) - 10, len(content) // 2, 40, 5, 0):
        assert is_whole(io.BytesIO(content[:cut])) == (cut == len(content) - 10)


def samples_of(path):
    with open_source(path) as source:
        samples = 0
        while count := source.read(4099).shape[1]:
            samples += count
        return samples


@pytest.mark.parametrize("by_pipe", [False, True], ids=["file", "pipe"])
def test_a_cut_gives_what_is_there_and_a_warning(content, tmp_path, piped, by_pipe, caplog):
    path = tmp_path / "x.ogg"
    path.write_bytes(content)
    assert samples_of(path) == 200_000 and not caplog.text
    path.write_bytes(content[: len(content) * 3 // 4])
    if by_pipe:
        piped(path.read_bytes())
    assert 100_000 < samples_of("-" if by_pipe else path) < 160_000
    assert "cut" in caplog.text


@pytest.mark.parametrize("by_pipe", [False, True], ids=["file", "pipe"])
def test_headers_alone_are_no_sound(content, tmp_path, piped, by_pipe):
    path = tmp_path / "x.ogg"
    path.write_bytes(content[: content.index(b"OggS", 4)])
    if by_pipe:
        piped(path.read_bytes())
    with pytest.raises(InputError, match="holds no sound|damaged or cut|cannot be decoded"):
        samples_of("-" if by_pipe else path)
