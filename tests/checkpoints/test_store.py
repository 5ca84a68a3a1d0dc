import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import threading
import zipfile

import pytest

from audiofix.checkpoints import store
from audiofix.errors import CheckpointError, OutputError

CONTENT = random.Random(1).randbytes(2_000_000)


def table(server, extra="", file="model.bin"):
    return f"""
    [m]
    system = "vmasr"
    verbs = ["upsample"]
    rate = 48000
    channels = 1
    licence = "a licence"
    source = "https://example.org/some/place"
    [m.files.weights]
    urls = ["{server.url}/{file}"]
    {extra}
    """


def convert(wanted, parts, target):
    """Take any file that does not begin with a tag for a model."""
    content = b"".join(path.read_bytes() for path in parts.values())
    if not content or content.startswith(b"<"):
        raise CheckpointError("no model")
    target.write_bytes(content)


def test_fetch_downloads_once_and_says_the_licence(server, listed, caplog):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    first = store.fetch("m")["weights"]
    assert first.read_bytes() == CONTENT
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "licence: a licence" in caplog.text
    assert store.fetch("m")["weights"] == first
    assert len(server.requests) == 1


def test_what_the_first_download_was_is_checked_ever_after(server, listed):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    assert store.ready("m", convert).read_bytes() == CONTENT
    path = store.fetch("m")["weights"]
    path.unlink()
    store.model_path("m").unlink()
    server.files["model.bin"] = CONTENT[::-1]
    with pytest.raises(CheckpointError, match="not the file expected"):
        store.ready("m", convert)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", b""])
def test_what_is_no_model_is_discarded_and_not_remembered(server, listed, cache, content):
    server.files["model.bin"] = content
    listed(table(server))
    with pytest.raises(CheckpointError, match="sent no such model.*deleted"):
        store.ready("m", convert)
    assert not list((cache / "downloads").iterdir()) and not list((cache / "models").iterdir())
    server.files["model.bin"] = CONTENT
    assert store.ready("m", convert).read_bytes() == CONTENT
    assert store.ready("m", convert, offline=True) == store.model_path("m")
    assert len(server.requests) == 2


def test_all_parts_or_none(server, listed):
    server.files |= {"early.bin": b"early ", "late.bin": b"late"}
    late = f'[m.files.late]\nurls = ["{server.url}/late.bin"]'
    listed(table(server, late, "early.bin"))
    done = []
    path = store.ready("m", convert, progress=lambda *counts: done.append(counts))
    assert path.read_bytes() == b"early late" and done[-1] == (10, 10)
    assert [intact for _, intact in store.verify("m")] == [True] * 3
    assert len(store.remove("m")) == 5  # the model, two files and their digests
    del server.files["late.bin"]
    with pytest.raises(CheckpointError, match="404"):
        store.ready("m", convert)
    assert not store.is_present("m")


def test_a_download_that_a_kill_left_unproved_is_hashed_first(server, listed, cache):
    server.files["model.bin"] = CONTENT
    digest = hashlib.sha256(CONTENT).hexdigest()
    listed(table(server, f'sha256 = "{digest}"'))
    left = cache / "downloads" / "place-model.bin"
    left.parent.mkdir(parents=True)
    left.write_bytes(CONTENT[:-1])
    assert store.ready("m", convert).read_bytes() == CONTENT
    model = store.model_path("m")
    model.with_suffix(".sha256").unlink()
    assert (model, False) in store.verify("m")


def test_a_cache_that_cannot_be_written_says_what_to_do(server, listed, tmp_path, monkeypatch):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="set AUDIOFIX_CACHE"):
        store.ready("m", convert)


def test_offline_opens_no_socket(server, listed, monkeypatch):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    with pytest.raises(CheckpointError, match="offline"):
        store.fetch("m", offline=True)
    monkeypatch.setenv("AUDIOFIX_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="offline"):
        store.fetch("m")
    assert server.requests == []


def test_a_mirror_stands_in_for_every_address(server, listed, monkeypatch):
    server.files["model.bin"] = CONTENT
    listed(table(server).replace(server.url, "https://nowhere.invalid/a/b"))
    monkeypatch.setenv("AUDIOFIX_MIRROR", f"{server.url}/mirror/")
    assert store.fetch("m")["weights"].read_bytes() == CONTENT
    assert server.requests[0][0] == "/mirror/model.bin"


def test_the_next_address_is_tried_when_the_first_fails(server, listed):
    server.files["model.bin"] = CONTENT
    listed(table(server).replace("urls = [", f'urls = ["{server.url}/gone.bin", '))
    # The name on disk is the first address's; the bytes are the second's.
    assert store.fetch("m")["weights"].read_bytes() == CONTENT


def test_members_of_an_archive_are_found_and_stay_inside_the_cache(server, listed, cache):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("top/48k/checkpoint-best-G.pth", b"right")
        archive.writestr("../../evil/48k/checkpoint-best-G.pth", b"evil")
        archive.writestr("top/16k/checkpoint-best-G.pth", b"other")
    server.files["all.zip"] = buffer.getvalue()
    listed(table(server, 'member = "top/48k/*best-G*.pth"', "all.zip"))
    found = store.fetch("m")["weights"]
    assert found.read_bytes() == b"right"
    assert found.parent == cache / "downloads"
    listed(table(server, 'member = "evil/48k/*"', "all.zip"))
    evil = store.fetch("m")["weights"]
    assert evil.parent == cache / "downloads"
    listed(table(server, 'member = "*/96k/*"', "all.zip"))
    with pytest.raises(CheckpointError, match="holds no"):
        store.fetch("m")


def test_verify_finds_damage_and_remove_clears(server, listed):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    model = store.ready("m", convert)
    path = store.fetch("m")["weights"]
    assert store.verify("m") == [(model, True), (path, True)]
    path.write_bytes(CONTENT[:-1])
    assert store.verify("m") == [(model, True), (path, False)]
    assert store.remove("m")[:2] == [model, path]
    with pytest.raises(CheckpointError, match="nothing to remove"):
        store.remove("m")


def test_names_cannot_leave_the_store(listed, server):
    listed(table(server))
    for name in ("../x", "a/b", ".hidden"):
        with pytest.raises(CheckpointError, match="not a name"):
            store.model_path(name)


FETCH = """
import sys
from audiofix.checkpoints import catalogue, store
entries = catalogue.read_catalogue(open(sys.argv[1]).read())
catalogue.entries = store.entries = lambda: entries
print(store.fetch("m")["weights"])
"""


def start(tmp_path, text):
    (tmp_path / "catalogue.toml").write_text(text)
    command = [sys.executable, "-c", FETCH, str(tmp_path / "catalogue.toml")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_download_once(server, tmp_path):
    server.files["model.bin"] = CONTENT
    processes = [start(tmp_path, table(server)) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert results[0][0] == results[1][0]
    assert len(server.requests) == 1


def test_a_killed_download_is_resumed(server, tmp_path, cache, listed):
    server.files["model.bin"] = CONTENT
    server.hold = threading.Event()
    digest = hashlib.sha256(CONTENT).hexdigest()
    text = table(server, f'sha256 = "{digest}"')
    process = start(tmp_path, text)
    part = cache / "downloads" / "place-model.bin.part"
    while not (part.exists() and part.stat().st_size >= 1 << 19):
        assert process.poll() is None
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not part.with_suffix("").exists()
    server.hold.set()
    listed(text)
    assert store.fetch("m")["weights"].read_bytes() == CONTENT
    assert server.requests[-1][1].startswith("bytes=")
