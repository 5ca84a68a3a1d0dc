"""An index of a folder, of tar shards and of HDF5, here and in a store."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.corpora import recordings, shared_out
from audiofix.trainers.data.index import pieces_of, write_index
from audiofix.trainers.data.manifest import Recording, read_manifest
from stages import noise

from audiofix.errors import OutputError

RATE = 8000


def encoded(samples, kind="FLAC"):
    file = io.BytesIO()
    soundfile.write(file, samples.T, RATE, format=kind)
    return file.getvalue()


def shard(files):
    """A shard in WebDataset's layout: sound and label of each item, one behind the other."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


SOUNDS = {f"{place % 2}/{place:03d}": noise(1, 800, seed=place) / 8 for place in range(12)}
SHARDS = [
    shard(
        {
            f"{name}.{kind}": content
            for name, sound in list(SOUNDS.items())[first : first + 6]
            for kind, content in (("flac", encoded(sound)), ("json", b"{}"))
        }
    )
    for first in (0, 6)
]


@pytest.fixture(params=["folder", "memory"])
def shards(request, tmp_path):
    """The folder or the URL of two shards."""
    if request.param == "folder":
        for place, content in enumerate(SHARDS):
            (tmp_path / f"{place:02d}.tar").write_bytes(content)
        yield tmp_path
        return
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for place, content in enumerate(SHARDS):
        store.pipe(f"/shards/{place:02d}.tar", content)
    yield Path("memory://shards")
    store.rm("/shards", recursive=True)


def test_an_index_of_shards_says_where_every_sound_lies(shards, tmp_path):
    index = tmp_path / "index.csv"
    assert write_index(shards, index) == 12
    found = [one for split in ("train", "validation") for one in read_manifest(index, split=split)]
    assert sorted(f"{one.path.parent.name}/{one.path.stem}" for one in found) == sorted(SOUNDS)
    for one in found:
        sound, rate = read_own(one)
        assert rate == RATE and one.duration == 0.1
        assert np.abs(sound - SOUNDS[f"{one.path.parent.name}/{one.path.stem}"]).max() < 2**-14
    assert recordings(shards, "train") == recordings(index, "train")
    with pytest.raises(OutputError, match="exists"):
        write_index(shards, index)


def test_processes_read_parts_of_an_index_that_make_up_the_whole(tmp_path):
    path = tmp_path / "m.csv"
    rows = [f"train,{place}.wav,1" for place in range(7)]
    path.write_text("\n".join(["split,file_path,duration", *rows, "validation,v.wav,1", ""]))
    shares = []
    for rank in range(3):
        with shared_out(rank, 3):
            shares.append([one.path.stem for one in recordings(path, "train")])
            assert len(recordings(path, "validation")) == 1
    assert shares == [["0", "3", "6"], ["1", "4"], ["2", "5"]]
    assert len(recordings(path, "train")) == 7


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_pieces_of_a_long_recording_are_its_parts(tmp_path, kind):
    sound = noise(1, 130 * RATE) / 8
    path = tmp_path / f"long.{kind.lower()}"
    path.write_bytes(encoded(sound, kind))
    with soundfile.SoundFile(path) as file:
        whole = file.read(dtype="float32")
    index = tmp_path / "index.csv"
    (tmp_path / "short.wav").write_bytes(encoded(sound[:, :80], "WAV"))
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")  # is left out
    assert write_index(tmp_path, index) == 4
    rows = [one for split in ("train", "validation") for one in read_manifest(index, split=split)]
    pieces = [one for one in rows if one.path == path]
    assert [one.start for one in pieces] == pytest.approx([0, 130 / 3, 260 / 3])
    for one in pieces:
        first = round(one.start * RATE)
        samples, _ = read_own(one)
        count = round(one.duration * RATE)
        assert count <= samples.shape[1] <= count + 1
        assert np.array_equal(samples[0], whole[first : first + samples.shape[1]])


def test_an_hdf5_window_is_one_piece(tmp_path):
    window = Recording(tmp_path / "x.hdf5", "train", 300.0, 600.0)
    assert pieces_of(window) == [window]
