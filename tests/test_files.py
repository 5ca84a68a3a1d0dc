import errno
import os
import resource
import signal
import subprocess
import sys
from multiprocessing import get_context

import pytest

from audiofix import files
from audiofix.errors import OutputError


def left_overs(folder):
    return [path for path in folder.iterdir() if files.is_unfinished(path)]


def test_a_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "x.bin"
    with files.NewFile(path) as new:
        new.file.write(b"whole")
        assert not path.exists() and left_overs(tmp_path) == [new.part]
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_exception_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), files.NewFile(tmp_path / "x") as new:
        new.file.write(b"half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_appeared_meanwhile_is_replaced_on_request_only(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(OutputError, match="exists: add --overwrite"), files.NewFile(path) as new:
        new.file.write(b"ours")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs" and list(tmp_path.iterdir()) == [path]
    files.write_bytes(path, b"ours", overwrite=True)
    assert path.read_bytes() == b"ours"


@pytest.mark.parametrize("missing", [["hardlink_to"], ["hardlink_to", "renameat2"]])
def test_nothing_is_replaced_where_file_systems_have_no_links(tmp_path, monkeypatch, missing):
    def refuse(*_):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    if "renameat2" in missing:
        monkeypatch.setattr(files, "_renameat2", refuse)
    path = tmp_path / "x"
    files.write_bytes(path, b"first")
    with pytest.raises(OutputError, match="exists"):
        files.write_bytes(path, b"second")
    assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]


def test_no_name_of_the_users_is_touched(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "x.part").write_bytes(b"mine")
    (tmp_path / ".x.00000000.audiofix-part").symlink_to(victim)
    files.write_bytes(tmp_path / "x", b"new")
    assert victim.read_bytes() == b"precious" and (tmp_path / "x.part").read_bytes() == b"mine"


def test_a_made_name_that_exists_as_a_link_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "00000000")
    (tmp_path / ".x.00000000.audiofix-part").symlink_to(victim)
    with pytest.raises(OutputError):
        files.write_bytes(tmp_path / "x", b"new")
    assert victim.read_bytes() == b"precious"


WRITE = """
import sys, time
from pathlib import Path
from audiofix.files import NewFile
new = NewFile(Path(sys.argv[1]))
new.file.write(b"half")
new.file.flush()
print("writing", flush=True)
sys.stdin.read()
"""


def test_left_overs_go_when_their_writer_has_gone_and_not_before(tmp_path):
    path = tmp_path / "take [1].wav"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout.readline() == b"writing\n"
    (part,) = left_overs(tmp_path)
    files.write_bytes(path, b"other")
    assert part.exists()
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    files.write_bytes(tmp_path / "another.wav", b"")
    assert part.exists()
    files.write_bytes(path, b"again", overwrite=True)
    assert not part.exists() and path.read_bytes() == b"again"


def _write(path, content, results):
    try:
        files.write_bytes(path, content * 100_000)
    except OutputError:
        results.put(None)
    else:
        results.put(content)


def test_of_writers_at_once_one_wins_whole(tmp_path):
    context = get_context("fork")
    results, path = context.Queue(), tmp_path / "x"
    contents = [bytes([letter]) for letter in b"abcd"]
    writers = [context.Process(target=_write, args=(path, c, results)) for c in contents]
    for writer in writers:
        writer.start()
    found = [results.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join()
    (winner,) = (content for content in found if content)
    assert path.read_bytes() == winner * 100_000 and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
        for size in (1500, 1_000_000):  # refused at the flush, and at the write
            with pytest.raises(OutputError, match="File too large"):
                files.write_bytes(tmp_path / "x", bytes(size))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_long_and_undecodable_names(tmp_path):
    for name in ("x" * 255, "\udcff\udcfe.wav", "ö" * 120):
        files.write_bytes(tmp_path / name, b"1")
        assert (tmp_path / name).read_bytes() == b"1"
    assert not left_overs(tmp_path)
    with pytest.raises(OutputError, match="make the folder first"):
        files.write_bytes(tmp_path / "no" / "x", b"")


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another folder"):
        files.make_folder(tmp_path / "file" / "below")
