from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiofix.audio.folder import Pair, pair_files
from audiofix.errors import InputError, UsageError


@pytest.fixture
def tree(tmp_path):
    for name in ("in/a.wav", "in/sub/b.flac", "in/sub/.c.wav.01234567.audiofix-part"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(10), 8000, format="FLAC" if "flac" in name else "WAV")
    (tmp_path / "in/notes.txt").write_text("not audio")
    return tmp_path


def test_a_folder_keeps_its_tree_and_its_types(tree):
    pairs = pair_files([str(tree / "in")], tree / "out", None)
    assert pairs == [
        Pair(tree / "in/a.wav", tree / "out/a.wav"),
        Pair(tree / "in/sub/b.flac", tree / "out/sub/b.flac"),
    ]
    pairs = pair_files([str(tree / "in")], tree / "out", "ogg")
    assert [pair.result.name for pair in pairs] == ["a.ogg", "b.ogg"]


def test_what_only_bears_the_name_of_audio_is_named(tree, caplog):
    for name in ("in/x.mp3", "in/sub/y.M4A", "in/z.md"):
        (tree / name).write_text("not audio")
    assert len(pair_files([str(tree / "in")], tree / "out", None)) == 2
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("2 named as audio hold none") and "z.md" not in warning
    assert "x.mp3" in warning and "y.M4A" in warning


def test_an_output_folder_inside_the_input_is_not_an_input(tree):
    out = tree / "in/out"
    out.mkdir()
    soundfile.write(out / "a.wav", np.zeros(10), 8000)
    assert len(pair_files([str(tree / "in")], out, None)) == 2


def test_named_files_are_taken_whatever_they_are(tree):
    pairs = pair_files([str(tree / "in/notes.txt"), str(tree / "in/a.wav")], Path("out"), None)
    assert [str(pair.result) for pair in pairs] == ["out/notes.wav", "out/a.wav"]


def test_collisions_and_self_replacement_are_refused(tree):
    with pytest.raises(UsageError, match="both become"):
        pair_files([str(tree / "in/a.wav"), str(tree / "in/sub/../a.wav")], tree / "out", None)
    with pytest.raises(UsageError, match="replace itself"):
        pair_files([str(tree / "in")], tree / "in", None)


def test_nothing_to_do_is_an_error(tree):
    (tree / "empty").mkdir()
    for wanted in ("audio", "codes"):
        with pytest.raises(InputError, match=f"holds no {wanted}"):
            pair_files([str(tree / "empty")], tree / "out", None, wanted)
    with pytest.raises(InputError, match="does not exist"):
        pair_files([str(tree / "nowhere")], tree / "out", None)
