from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiofix.audio.tree import matched, recordings
from audiofix.errors import InputError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("clean/a.wav", "clean/sub/b.flac", "made/sub/b.wav", "made/c.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(10), 8000)
    (tmp_path / "clean/notes.txt").write_text("not audio")
    (tmp_path / "clean/.d.wav.01234567.audiofix-part").write_bytes(
        (tmp_path / "clean/a.wav").read_bytes()
    )
    return tmp_path


def test_recordings_are_named_by_their_place_without_extension(folder: Path) -> None:
    clean = folder / "clean"
    assert recordings(clean) == {"a": clean / "a.wav", "sub/b": clean / "sub/b.flac"}


def test_folders_are_matched_by_name(folder: Path) -> None:
    clean, made = folder / "clean", folder / "made"
    assert matched(clean, made) == {
        "a": (clean / "a.wav", None),
        "c": (None, made / "c.wav"),
        "sub/b": (clean / "sub/b.flac", made / "sub/b.wav"),
    }


def test_files_are_matched_whatever_their_names(folder: Path) -> None:
    pair = (folder / "clean/a.wav", folder / "made/c.wav")
    assert matched(*pair) == {"a": pair}


def test_what_cannot_be_matched(folder: Path) -> None:
    with pytest.raises(InputError, match="nowhere: does not exist"):
        matched(folder / "clean", folder / "nowhere")
    with pytest.raises(UsageError, match="one is a folder"):
        matched(folder / "clean", folder / "made/c.wav")
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no audio"):
        recordings(folder / "empty")
    soundfile.write(folder / "clean/a.flac", np.zeros(10), 8000)
    with pytest.raises(UsageError, match=r"a\.wav and .*a\.flac: have one name"):
        recordings(folder / "clean")
