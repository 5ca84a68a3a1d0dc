import pytest
from audiofix.trainers.data.manifest import Recording, read_manifest

from audiofix.errors import InputError


def test_reads_one_split_beside_the_manifest(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("split,file_path,duration,rate\ntrain,a/b.wav,1.5,8000\nvalidation,c.wav,2,1\n")
    assert read_manifest(path, split="train") == [Recording(tmp_path / "a/b.wav", "train", 1.5)]
    assert [r.path.name for r in read_manifest(path, split="valid")] == ["c.wav"]
    with pytest.raises(InputError, match="split test"):
        read_manifest(path, split="test")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "split,file_path,duration\ntrain,a,long\n"])
def test_refuses_other_tables(tmp_path, text):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match="not a manifest"):
        read_manifest(tmp_path / "m.csv", split="train")
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "other.csv", split="train")


@pytest.mark.parametrize(("written", "asked"), [("valid", "validation"), ("validation", "val")])
def test_a_split_may_have_its_short_name(tmp_path, written, asked):
    (tmp_path / "m.csv").write_text(f"split,file_path,duration\n,a.wav,1\n{written},b.wav,1\n")
    assert [r.path.name for r in read_manifest(tmp_path / "m.csv", split=asked)] == ["b.wav"]


def test_further_columns_are_read_where_they_are(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(
        "split,file_path,duration,kind,band_hz,weight\n"
        "train,a.wav,1,music,20000,8\ntrain,b.wav,1,,,\n"
    )
    first, second = read_manifest(path, split="train")
    assert (first.kind, first.band_hz, first.weight) == ("music", 20000, 8)
    assert second == Recording(tmp_path / "b.wav", "train", 1)
