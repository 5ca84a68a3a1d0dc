import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.audio.excerpt import Excerpt
from audiofix.audio.pcm import parse_encoding
from audiofix.audio.source import Headerless, open_source


@pytest.mark.parametrize("sizes", [[100], [1] * 100, [30, 0, 69, 1]])
@pytest.mark.parametrize(
    ("start", "duration", "first", "end"),
    [(0, None, 0, 100), (0.3, None, 30, 100), (0.3, 0.2, 30, 50), (0, 0.05, 0, 5),
     (0.3, 0, 30, 30), (2, None, 100, 100), (0.5, 9, 50, 100)],
)  # fmt: skip
def test_parts_are_cut_however_they_come(sizes, start, duration, first, end):
    x = np.arange(100.0)[None]
    excerpt = Excerpt(100, start, duration)
    assert excerpt.length(100) == end - first
    chunks = np.split(x, np.cumsum(sizes)[:-1], axis=1)
    parts = [chunk[:, excerpt.next(chunk.shape[1])] for chunk in chunks]
    assert np.array_equal(np.concatenate(parts, axis=1), x[:, first:end])
    assert excerpt.over is (duration is not None and end < 100)


def test_a_source_reads_its_part_only(tmp_path):
    x = np.arange(1000, dtype="<f4") / 1000
    (tmp_path / "x.raw").write_bytes(x.tobytes())
    kind = Headerless(parse_encoding("f32le"), 100, 1)
    for exact in (False, True):
        with open_source(tmp_path / "x.raw", headerless=kind) as source:
            source.take(2.5, 3.0)
            assert source.samples == 300
            read = source.read_exact if exact else source.read
            parts = []
            while (chunk := read(7)).shape[1]:
                parts.append(chunk)
        assert np.array_equal(np.concatenate(parts, axis=1)[0], x[250:550])
        assert source.fault is None


@pytest.mark.parametrize(("kind", "skips"), [("wav", True), ("flac", True), ("ogg", False)])
def test_what_comes_before_a_part_is_skipped_where_that_is_exact(tmp_path, kind, skips):
    path = tmp_path / f"x.{kind}"
    soundfile.write(path, noise(2, 50_000).T, 8000)
    with open_source(path) as source:
        whole = source.read(50_000)
    with open_source(path) as source:
        source.take(2.5, None)
        assert source.samples == 30_000
        assert (source._position == 20_000) is skips
        parts = [part] = [source.read(50_000)]
        while part.shape[1]:
            parts.append(part := source.read(50_000))
        assert np.array_equal(np.concatenate(parts, axis=1), whole[:, 20_000:])
        assert source.fault is None


def test_a_part_that_begins_behind_the_end_is_empty(tmp_path):
    (tmp_path / "x.raw").write_bytes(bytes(400))
    with open_source(
        tmp_path / "x.raw", headerless=Headerless(parse_encoding("f32le"), 100, 1)
    ) as source:
        source.take(60, None)
        assert source.samples == 0 and source.read(10).shape == (1, 0)
