import os
import resource
import signal
import stat
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.audio.format import AudioFormat
from audiofix.audio.pcm import HEADERLESS
from audiofix.audio.sink import open_sink
from audiofix.audio.source import Headerless, open_source
from audiofix.audio.tags import Tags
from audiofix.audio.types import TYPES
from audiofix.errors import OutputError, UsageError
from audiofix.files import is_unfinished

LOSSLESS = ["wav", "rf64", "w64", "caf", "au", "aiff"]
GRID = {"16": 2**15, "24": 2**23, "32": 2**31}


def write(path, x, rate=48000, **options):
    with open_sink(path, AudioFormat(rate, len(x)), **options) as sink:
        for start in range(0, x.shape[1], 333):
            sink.write(x[:, start : start + 333])
    return sink


def read(path, **options):
    with open_source(path, **options) as source:
        return source.read(1 << 20), source


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("kind", "bits"),
    [*product(LOSSLESS, ["16", "24", "32", "32f", "64f"]), ("flac", "16"), ("flac", "24")],
)
def test_every_type_holds_every_sample(tmp_path, kind, bits, channels):
    x = noise(channels, 1009)
    if bits in GRID:
        x = (np.round(x * 2.0**15) / 2**15).astype(np.float32)
    path = tmp_path / f"x.{kind}"
    write(path, x, kind=kind, bits=bits)
    y, source = read(path)
    assert np.array_equal(y, x)
    assert source.bits == bits and source.format == AudioFormat(48000, channels)
    assert soundfile.info(path).frames == 1009
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", HEADERLESS)
def test_headerless_types_are_bare_samples(tmp_path, kind):
    x = noise(2, 501)
    write(tmp_path / "x", x, kind=kind)
    encoding = HEADERLESS[kind]
    assert (tmp_path / "x").stat().st_size == 1002 * encoding.bytes
    y, _ = read(tmp_path / "x", headerless=Headerless(encoding, 8000, 2))
    assert np.abs(y - x).max() < {8: 0.02, 16: 1e-4}.get(encoding.bits, 1e-6)


@pytest.mark.parametrize(("kind", "tolerance"), [("ogg", 0.1), ("opus", 0.1), ("mp3", 0.1)])
def test_lossy_types_sound_alike(tmp_path, kind, tolerance):
    x = (0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000))[None].astype(np.float32)
    path = tmp_path / f"x.{kind}"
    write(path, x)
    y, source = read(path)
    assert abs(y.shape[1] - 48000) <= 2400
    assert abs(np.sqrt((y**2).mean()) / np.sqrt((x**2).mean()) - 1) < tolerance


@pytest.mark.parametrize(
    ("options", "rate", "channels", "message"),
    [
        ({"kind": "xyz"}, 48000, 1, "no type that can be written"),
        ({"kind": "flac", "bits": "32f"}, 48000, 1, "flac holds 16, 24"),
        ({"kind": "ogg", "bits": "16"}, 48000, 1, "has no sample format"),
        ({"kind": "f32le", "bits": "16"}, 48000, 1, "says it already"),
        ({"kind": "opus"}, 44100, 1, "cannot hold 44100 Hz"),
        ({"kind": "mp3"}, 48000, 6, "cannot hold 6 channels"),
        ({"kind": "m4a"}, 192000, 1, "cannot hold 192000 Hz"),
    ],
)
def test_what_a_type_cannot_hold_is_refused_before_a_file_exists(
    tmp_path, options, rate, channels, message
):
    with pytest.raises(UsageError, match=message):
        open_sink(tmp_path / "y", AudioFormat(rate, channels), **options)
    assert not list(tmp_path.iterdir())


def test_the_input_decides_the_sample_format(tmp_path):
    for bits in ("16", "24", "32f"):
        write(tmp_path / f"{bits}.wav", noise(1, 10), bits=bits)
        with open_source(tmp_path / f"{bits}.wav") as source:
            write(tmp_path / f"{bits}-copy.wav", noise(1, 10), usual_bits=source.bits)
        assert read(tmp_path / f"{bits}-copy.wav")[1].bits == bits


def test_existing_files_stay_unless_asked(tmp_path):
    path = tmp_path / "y.wav"
    write(path, noise(1, 10))
    with pytest.raises(OutputError, match="exists"):
        write(path, noise(1, 20))
    assert read(path)[0].shape == (1, 10)
    write(path, noise(1, 20), overwrite=True)
    assert read(path)[0].shape == (1, 20)


def test_nothing_is_left_when_something_fails(tmp_path):
    with pytest.raises(RuntimeError), open_sink(tmp_path / "y.wav", AudioFormat(8000, 1)) as sink:
        sink.write(noise(1, 10))
        assert [is_unfinished(p) for p in tmp_path.iterdir()] == [True]
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="make it first"):
        open_sink(tmp_path / "no" / "y.wav", AudioFormat(8000, 1))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_output_error():
    with pytest.raises(OutputError, match="free some space"), Path("/dev/full").open("wb") as full:
        from audiofix.audio.destination import Pipe
        from audiofix.audio.pcm import Encoding, SampleEncoder
        from audiofix.audio.sink import Sink
        from audiofix.audio.writers import open_writer

        encoder = SampleEncoder(Encoding("float", 32))
        raw = open_writer("f32le", full, AudioFormat(8000, 1), encoder, seekable=False)
        with Sink("full", raw, full, encoder, Pipe(full)) as sink:
            for _ in range(10):
                sink.write(noise(1, 100_000))


@pytest.fixture
def small_disk():
    """Let files grow to 20 kB only, as a full disk would."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("samples", [12_000, 400_000])
@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "opus", "aiff", "w64", "caf", "u8"])
def test_a_full_disk_ends_every_writer_alike(tmp_path, kind, samples, small_disk, capfd):
    tags = Tags({"title": ["x" * 15_000]})
    with (
        pytest.raises(OutputError, match="File too large"),
        open_sink(tmp_path / "y", AudioFormat(48000, 1), kind=kind, tags=tags) as sink,
    ):
        for _ in range(samples // 4000):
            sink.write(noise(1, 4000))
        sink.write(noise(1, 400_000 if kind in ("mp3", "ogg", "opus", "u8") else 4000))
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_a_file_of_the_users_is_neither_followed_nor_replaced(tmp_path):
    """The hidden name is the program's own; `y.wav.part` is any other file."""
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "y.wav.part").symlink_to(tmp_path / "victim")
    write(tmp_path / "y.wav", noise(1, 10))
    assert (tmp_path / "victim").read_bytes() == b"precious"
    with (
        pytest.raises(OutputError, match="exists"),
        open_sink(tmp_path / "z.wav", AudioFormat(8000, 1)) as sink,
    ):
        sink.write(noise(1, 10))
        (tmp_path / "z.wav").write_bytes(b"came meanwhile")
    assert (tmp_path / "z.wav").read_bytes() == b"came meanwhile"


SCRIPT = """
import numpy as np
from audiofix.audio.format import AudioFormat
from audiofix.audio.sink import open_sink
with open_sink("-", AudioFormat(8000, 2), kind={kind!r}) as sink:
    sink.write(np.arange(20, dtype=np.float32).reshape(2, 10) / 64)
"""


@pytest.mark.parametrize("kind", [None, "au", "flac", "aiff", "f32le"])
def test_pipes_carry_every_type(tmp_path, kind):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(kind=kind)], capture_output=True, check=True
    )
    if kind is None:
        assert done.stdout[:8] == b"RIFF\xff\xff\xff\xff" and done.stdout[20:22] == b"\3\0"
    path = tmp_path / "x"
    path.write_bytes(done.stdout)
    options = {"headerless": Headerless(HEADERLESS["f32le"], 8000, 2)} if kind == "f32le" else {}
    y, _ = read(path, **options)
    assert np.array_equal(y, np.arange(20, dtype=np.float32).reshape(2, 10) / 64)


def test_a_file_behind_standard_output_gets_true_sizes(tmp_path):
    path = tmp_path / "y.wav"
    with path.open("wb") as file:
        subprocess.run([sys.executable, "-c", SCRIPT.format(kind=None)], stdout=file, check=True)
    assert path.read_bytes()[4:8] == (path.stat().st_size - 8).to_bytes(4, "little")
    assert soundfile.info(path).frames == 10


def test_the_environment_can_drop_the_header():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(kind=None)],
        capture_output=True, check=True, env={**os.environ, "AUDIOFIX_PIPE": "f32le"},
    )  # fmt: skip
    assert len(done.stdout) == 80


def test_types_are_those_of_the_contract():
    assert {"wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "w64", "rf64", "caf"} < set(TYPES)
    assert {"f32le", "f64le", "s16le", "s24le", "s32le", "u8", "mulaw", "alaw", "s16be"} < set(
        TYPES
    )


@pytest.mark.parametrize("kind", ["wav", "flac", "f32le"])
def test_devices_are_written_to_and_stay(kind):
    with open_sink("/dev/null", AudioFormat(8000, 1), kind=kind) as sink:
        sink.write(np.zeros((1, 100), np.float32))
    with (
        pytest.raises(OutputError, match="free some space"),
        open_sink("/dev/full", AudioFormat(8000, 1), kind=kind) as sink,
    ):
        sink.write(np.zeros((1, 100_000), np.float32))
    for device in ("/dev/null", "/dev/full"):
        assert stat.S_ISCHR(Path(device).stat().st_mode)
