import hashlib
import random

import pytest
from file_server import running

from audiofix.checkpoints.digest import sha256_of
from audiofix.checkpoints.download import download
from audiofix.errors import CheckpointError, OutputError

CONTENT = random.Random(0).randbytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with running() as server:
        server.files["model.bin"] = CONTENT
        yield server


def fetch(server, path, sha256=DIGEST, size=300_000, **options):
    return download(f"{server.url}/model.bin", path, sha256=sha256, size=size, **options)


def test_fetches_and_verifies(server, tmp_path):
    progress = []
    path = tmp_path / "m"
    fetch(server, path, progress=lambda done, total: progress.append((done, total)))
    assert sha256_of(path) == DIGEST
    assert path.read_bytes() == CONTENT
    assert progress[-1] == (300_000, 300_000)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("seed", range(5))
def test_resumes_wherever_the_connection_drops(server, tmp_path, seed):
    choose = random.Random(seed)
    server.cuts = [choose.randrange(1, 60_000) for _ in range(6)]
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT
    ranges = [wanted for _, wanted in server.requests]
    assert len(ranges) == 7 and ranges[0] is None and all(ranges[1:])


def test_gives_up_when_no_byte_comes(server, tmp_path):
    server.cuts = [0] * 10
    with pytest.raises(CheckpointError, match="try again to resume"):
        fetch(server, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_continues_what_an_earlier_process_left(server, tmp_path):
    server.cuts = [100_000, 0, 0, 0, 0, 0]
    with pytest.raises(CheckpointError):
        fetch(server, tmp_path / "m")
    left = (tmp_path / "m.part").stat().st_size
    assert 0 < left <= 100_000
    server.cuts.clear()
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={left}-"


def test_a_file_that_changed_meanwhile_is_fetched_afresh(server, tmp_path):
    server.cuts = [100_000, 0, 0, 0, 0, 0]
    with pytest.raises(CheckpointError):
        fetch(server, tmp_path / "m")
    server.cuts.clear()
    changed = server.files["model.bin"] = CONTENT[::-1]
    fetch(server, tmp_path / "m", sha256=hashlib.sha256(changed).hexdigest())
    assert (tmp_path / "m").read_bytes() == changed


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"?", CONTENT + b"?"])
def test_wrong_bytes_never_get_the_real_name(server, tmp_path, content):
    server.files["model.bin"] = content
    with pytest.raises(CheckpointError, match="not the file expected"):
        fetch(server, tmp_path / "m")
    assert not list(tmp_path.glob("m*[!g]"))


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429, 500]
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT and len(server.requests) == 4


def test_a_resumed_file_must_be_the_same_one(server, tmp_path):
    """A server that ignores If-Range sends the rest of another file."""
    server.cuts = [100_000, 0, 0, 0, 0, 0]
    with pytest.raises(CheckpointError):
        fetch(server, tmp_path / "m")
    server.cuts.clear()
    server.ignores_if_range = True
    changed = server.files["model.bin"] = CONTENT[::-1]
    fetch(server, tmp_path / "m", sha256=None, size=None)
    assert (tmp_path / "m").read_bytes() == changed


def test_no_more_is_taken_than_the_stated_size(server, tmp_path):
    server.files["model.bin"] = bytes(50_000_000)
    server.headers = {"Content-Length": None}
    with pytest.raises(CheckpointError, match="should have 300000 bytes"):
        fetch(server, tmp_path / "m", sha256=None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", ["-5", "1e9", "??", "\u0663".encode().decode("latin-1")])
def test_nonsense_in_headers_is_no_crash(server, tmp_path, length):
    server.headers = {"Content-Length": length, "ETag": "\x7f" * 300}
    try:
        fetch(server, tmp_path / "m")
    except CheckpointError:
        assert not (tmp_path / "m").exists()
    else:
        assert (tmp_path / "m").read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["/model.bin", "file:///etc/passwd", "gopher://x/", "http://["])
def test_redirects_that_lead_nowhere(server, tmp_path, place):
    server.statuses = [302] * 40
    server.headers = {"Location": place}
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        fetch(server, tmp_path / "m")


def test_a_cache_that_cannot_be_written_is_an_output_error(server, tmp_path):
    (tmp_path / "m.part").mkdir()
    with pytest.raises(OutputError):
        fetch(server, tmp_path / "m")


def test_an_error_of_the_server_says_what_to_do(server, tmp_path):
    server.files.clear()
    with pytest.raises(CheckpointError, match="answers 404.*AUDIOFIX_MIRROR"):
        fetch(server, tmp_path / "m")


def test_no_server_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match="models import"):
        download("http://127.0.0.1:9/m", tmp_path / "m", sha256=None, size=None)
