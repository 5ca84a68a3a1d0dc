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
from audiofix.errors import CheckpointError

CONTENT = random.Random(1).randbytes(2_000_000)


def table(server, extra="", file="model.bin"):
    return f"""
    [m]
    backend = "vmasr"
    verbs = ["upsample"]
    rate = 48000
    channels = 1
    licence = "a licence"
    source = "https://example.org/some/place"
    urls = ["{server.url}/{file}"]
    {extra}
    """


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
    path = store.fetch("m")["weights"]
    path.unlink()
    server.files["model.bin"] = CONTENT[::-1]
    with pytest.raises(CheckpointError, match="not the file expected"):
        store.fetch("m")
    assert not path.exists()


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
    listed(table(server, 'members = { weights = ["top/48k/*best-G*.pth"] }', "all.zip"))
    found = store.fetch("m")["weights"]
    assert found.read_bytes() == b"right"
    assert found.parent == cache / "downloads"
    listed(table(server, 'members = { weights = ["evil/48k/*"] }', "all.zip"))
    evil = store.fetch("m")["weights"]
    assert evil.parent == cache / "downloads"
    listed(table(server, 'members = { weights = ["*/96k/*"] }', "all.zip"))
    with pytest.raises(CheckpointError, match="holds no"):
        store.fetch("m")


def test_verify_finds_damage_and_remove_clears(server, listed):
    server.files["model.bin"] = CONTENT
    listed(table(server))
    path = store.fetch("m")["weights"]
    assert store.verify("m") == [(path, True)]
    path.write_bytes(CONTENT[:-1])
    assert store.verify("m") == [(path, False)]
    assert store.remove("m")[0] == path
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


def test_default_entry_prefers_pulled_ones_and_the_nearest_rate_above(listed, server, cache):
    rates = {"low": 16000, "mid": 44100, "high": 48000, "far": 96000}
    text = "".join(
        table(server).replace("[m]", f"[{name}]").replace("rate = 48000", f"rate = {rate}")
        for name, rate in rates.items()
    )
    listed(text)
    assert store.default_entry("upsample", 44100, ["vmasr"]) is None
    (cache / "models").mkdir(parents=True)
    for name in rates:
        (cache / "models" / f"{name}.safetensors").touch()
    for wanted, expected in [(8000, "low"), (44100, "mid"), (45000, "high"), (192000, "far")]:
        assert store.default_entry("upsample", wanted, ["vmasr"]).name == expected
    assert store.default_entry("upsample", 48000, ["apollo"]) is None
    assert store.default_entry("inpaint", 48000, ["vmasr"]) is None
