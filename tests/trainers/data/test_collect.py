from pathlib import Path

import pytest
import soundfile
from audiofix.trainers.data import collect
from audiofix.trainers.data.manifest import read_manifest
from stages import noise

from audiofix import checkpoints

LIST = """
[[files]]
split = "train"
pattern = "voices/*.wav"
kind = "speech"
weight = 1.5
skip = 3

[[files]]
split = "validation"
pattern = "voices/*.wav"
every = 3
band_hz = 7000

[[files]]
split = "train"
pattern = "*/**/*.wav"
but = ["voices/*", "c*.wav"]
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("voices/0.wav", "voices/1.wav", "voices/2.wav", "voices/3.wav", "deep/x/a.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, noise(1, 4000).T, 16000)
    soundfile.write(tmp_path / "deep/x/click.wav", noise(1, 4000).T, 16000)
    soundfile.write(tmp_path / "deep/x/brief.wav", noise(1, 2000).T, 16000)
    (tmp_path / "list.toml").write_text(LIST)
    return tmp_path


def collected(folder):
    arguments = [folder / "list.toml", folder, "-o", folder / "m.csv"]
    assert collect.main([str(argument) for argument in arguments]) == 0
    return folder / "m.csv"


def test_a_list_becomes_a_manifest(folder, capsys):
    path = collected(folder)
    assert capsys.readouterr().err == f"{path}: 5 recordings\n"
    found = {split: read_manifest(path, split=split) for split in ("train", "validation")}
    names = {split: [one.path.name for one in some] for split, some in found.items()}
    assert names == {"train": ["1.wav", "2.wav", "a.wav"], "validation": ["0.wav", "3.wav"]}
    first, last = found["train"][0], found["validation"][0]
    assert (first.kind, first.weight, first.duration) == ("speech", 1.5, 0.25)
    assert (last.kind, last.weight, last.band_hz) == ("", 1.0, 7000)


def test_only_named_files_may_be_taken(folder):
    (folder / "some.txt").write_text("voices/2.wav\nvoices/nowhere.wav\ndeep/x/a.wav\n")
    (folder / "list.toml").write_text(
        '[[files]]\nsplit = "train"\npattern = "voices/*"\namong = "some.txt"'
    )
    found = read_manifest(collected(folder), split="train")
    assert [one.path.name for one in found] == ["2.wav"]


def test_it_is_the_same_each_time(folder):
    first = collected(folder).read_bytes()
    assert collected(folder).read_bytes() == first


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ('[[files]]\nsplit = "train"\npattern = "nowhere/*.wav"', 3, "no files nowhere/*.wav"),
        ('[[files]]\nsplit = "train"\npatern = "*"', 2, "did you mean files.pattern?"),
        ("[[files", 3, "name a list in TOML"),
        (
            '[[files]]\nsplit = "train"\npattern = "*"\namong = "nowhere.txt"',
            3,
            "nowhere.txt",
        ),
        ('[[files]]\nsplit = "train"\npattern = "list.toml"', 3, "leave it out"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder, capsys, text, status, said):
    (folder / "list.toml").write_text(text)
    arguments = [folder / "list.toml", folder, "-o", folder / "m.csv"]
    assert collect.main([str(argument) for argument in arguments]) == status
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not (folder / "m.csv").exists()


def test_the_lists_beside_what_ships_can_be_read():
    lists = list((Path(checkpoints.__file__).parent / "shipped").glob("*.data.toml"))
    assert lists
    for path in lists:
        assert {group.split for group in collect.groups_of(path)} == {"train", "validation"}
