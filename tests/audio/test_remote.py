"""Remote files: a store in memory, S3 as moto's server plays it, and a web server that fails."""

import os
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.batches import Batches
from audiofix.trainers.data.clips import Clips
from audiofix.trainers.data.corpora import recordings
from audiofix.trainers.data.index import write_index
from audiofix.trainers.distributed import World
from audiofix.trainers.loop_settings import LoopSettings
from stages import noise

from audiofix.audio.folder import pair_files
from audiofix.audio.format import AudioFormat
from audiofix.audio.remote import is_there, url_of
from audiofix.audio.sink import open_sink
from audiofix.audio.source import open_source
from audiofix.backends.systems import load_checkpoint
from audiofix.checkpoints.store import model_path
from audiofix.errors import InputError, OutputError

fsspec = pytest.importorskip("fsspec")
SOUND = noise(2, 5000) / 4


def write(url, sound=SOUND, **options):
    with open_sink(url, AudioFormat(16000, len(sound)), **options) as sink:
        sink.write(sound)


def read(url):
    with open_source(url) as source:
        chunks = list(whole(source))
    return np.concatenate(chunks, axis=1)


def whole(source):
    while (chunk := source.read(10**6)).shape[1]:
        yield chunk


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("s3://bucket/a/x.wav", "s3://bucket/a/x.wav"),
        (Path("s3://bucket/a") / "x.wav", "s3://bucket/a/x.wav"),
        (Path("https://host/x.wav"), "https://host/x.wav"),
        ("memory://x.wav", "memory://x.wav"),
        ("x.wav", None),
        ("s3/x.wav", None),
        ("-", None),
        ("odd:/x.wav", None),
    ],
)
def test_a_path_keeps_what_its_url_says(name, url):
    assert url_of(name) == url


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_is_written_to_a_store_is_read_from_it(kind):
    url = f"memory://there/x.{kind}"
    write(url, bits="24", overwrite=True)
    assert np.abs(read(url) - SOUND).max() < 2**-22
    assert is_there(Path(url)) and not is_there(Path("memory://there/y.wav"))
    with pytest.raises(OutputError, match=f"{url}: exists: add --overwrite"):
        write(url)


def test_an_output_that_fails_never_appears():
    with (
        pytest.raises(ValueError, match="half"),
        open_sink("memory://half.wav", AudioFormat(8000, 1)) as sink,
    ):
        sink.write(SOUND[:1])
        raise ValueError("half")
    assert not is_there(Path("memory://half.wav"))


def test_a_remote_folder_keeps_its_tree():
    for name in ("tree/a.wav", "tree/deep/b.wav", "tree/notes.txt"):
        write(f"memory://{name}", kind="wav", overwrite=True)
    pairs = pair_files(["memory://tree/"], Path("memory://out"), "flac")
    found = [(url_of(pair.source), url_of(pair.result)) for pair in pairs]
    assert found == [
        ("memory://tree/a.wav", "memory://out/a.flac"),
        ("memory://tree/deep/b.wav", "memory://out/deep/b.flac"),
    ]


def test_what_is_missing_is_told():
    with pytest.raises(InputError, match="memory://no.wav: not there .* check the bucket"):
        open_source("memory://no.wav")


class Failing(BaseHTTPRequestHandler):
    """Answers with the status in the path's first part; 200 sends half of what it promises."""

    def do_GET(self):
        status = int(self.path.split("/")[1])
        self.send_response(status)
        self.send_header("Content-Length", "100000" if status == 200 else "0")
        self.end_headers()
        if status == 200 and self.command == "GET":
            self.wfile.write(wave_bytes()[:30000])

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def wave_bytes():
    header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0"
    return header + b"data\xff\xff\xff\xff" + bytes(100000 - 44)


@pytest.fixture
def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("status", "message"), [(403, "not there"), (404, "not there"), (200, "")])
def test_a_web_server_that_fails_is_told(web, status, message):
    pytest.importorskip("aiohttp")
    with pytest.raises(InputError, match=f"{web}/{status}/x.wav.*{message}"):
        read(f"{web}/{status}/x.wav")


@pytest.fixture
def s3(monkeypatch):
    server_module = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import boto3

    fsspec.get_filesystem_class("s3").clear_instance_cache()  # of the server of an earlier test
    boto3.client("s3").create_bucket(Bucket="bucket")
    yield
    server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_s3_holds_what_is_written_and_says_what_is_missing(s3):
    write("s3://bucket/a/x.flac", bits="24")
    assert np.abs(read("s3://bucket/a/x.flac") - SOUND).max() < 2**-22
    long = noise(2, 2_000_000) / 4  # sent in parts
    write("s3://bucket/long.wav", long, bits="32f")
    with open_source("s3://bucket/long.wav") as source:
        total = sum(iter(lambda: source.read(1 << 16).shape[1], 0))
    assert total == 2_000_000
    with pytest.raises(InputError, match="s3://none/x.wav: not there"):
        read("s3://none/x.wav")
    with pytest.raises(OutputError, match="s3://none/x.wav: "):
        write("s3://none/x.wav")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_and_training_data_lie_in_s3(s3, monkeypatch, tmp_path):
    """Workers are forked while the store's own thread runs."""
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path / "cache"))
    bucket = fsspec.filesystem("s3")
    names = [f"{place}.flac" for place in range(12)]
    with bucket.open("s3://bucket/shards/00.tar", "wb") as file, tarfile.open("", "w", file) as tar:
        for place, name in enumerate(names):
            soundfile.write(tmp_path / name, noise(1, 8000, seed=place).T, 8000)
            tar.add(tmp_path / name, name)
    write_index(Path("s3://bucket/shards/"), tmp_path / "index.csv")
    bucket.put(str(tmp_path / "index.csv"), "s3://bucket/index.csv")
    clips = [
        Clips(recordings(source, "train"), 8000, 400)
        for source in (Path("s3://bucket/index.csv"), tmp_path / "index.csv")
    ]
    settings = LoopSettings(batch=2, workers=2, worker_processes=True)

    def item(generator):
        return {"x": clips[0].draw(generator).samples}

    with Batches(item, settings, World(), torch.device("cpu")) as batches:
        (part,) = batches.parts(0)
    drawn = [clips[1].draw(np.random.default_rng([1, number])).samples for number in range(2)]
    assert np.array_equal(part["x"], np.stack(drawn))
    path = model_path("envelope-48k")
    bucket.put(str(path), "s3://bucket/models/mine.safetensors")
    found = load_checkpoint("s3://bucket/models/mine.safetensors")
    assert found.config == load_checkpoint(str(path)).config


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_s3_without_permission_is_told(web, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{web}/403")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    s3fs = pytest.importorskip("s3fs")

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(InputError, match="not permitted .* check the credentials"):
        read("s3://bucket/x.wav")
    s3fs.S3FileSystem.clear_instance_cache()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "test"
