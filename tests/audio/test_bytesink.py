import os
import stat
import threading
from pathlib import Path

import pytest

from audiofix.audio.bytesink import ByteSink
from audiofix.errors import OutputError


def test_a_file_has_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "x"
    with ByteSink(path) as sink:
        sink.write(b"abc")
        assert not path.exists()
    assert path.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(ValueError), ByteSink(tmp_path / "x") as sink:
        sink.write(b"abc")
        raise ValueError
    assert not list(tmp_path.iterdir())


def test_what_exists_stays_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists"):
        ByteSink(path)
    with ByteSink(path, overwrite=True) as sink:
        sink.write(b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(OutputError, match="folder"):
        ByteSink(tmp_path / "none" / "x")


def test_a_full_disk_is_one_line():
    with pytest.raises(OutputError, match="free some space"), ByteSink("/dev/full") as sink:
        sink.write(b"x" * 100_000)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_named_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    with ByteSink(path) as sink:
        sink.write(b"abc")
    reader.join()
    assert got == [b"abc"] and stat.S_ISFIFO(path.stat().st_mode)
