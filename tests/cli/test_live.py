"""`encode --mic` and `decode --play` on a null device, as a user starts and ends them."""

import io
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli.commands import Run, command_line
from null_device import null_device
from stages import noise
from tiny import tiny_codec_checkpoint

import audiofix as face
from audiofix.codes.reader import CodeReader

HOP = 24


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_codec_checkpoint(tmp_path_factory.mktemp("codec") / "tiny.safetensors")


@pytest.fixture(scope="module")
def live(
    environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    return {**environment, **null_device(tmp_path_factory.mktemp("alsa"))}


@pytest.fixture
def coded(codec: Path, tmp_path: Path) -> Path:
    path = tmp_path / "x.afc"
    face.encode(noise(2, 1000), 8000, model=str(codec)).save(path)
    return path


def recording(codec: Path, live: Mapping[str, str], *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command_line(["encode", "--mic", "--realtime", "-m", codec, *options]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=live,
        # Whoever starts the tests in the background lets them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_signal_ends_a_recording_that_is_whole(
    codec: Path, live: Mapping[str, str], number: int, status: int, channels: int
) -> None:
    with recording(codec, live, "-c", str(channels)) as process:
        data = process.stdout.read(5000)
        process.send_signal(number)
        data += process.stdout.read()
        errors = process.stderr.read()
    assert process.returncode == status, errors
    reader = CodeReader(io.BytesIO(data))
    assert (reader.layout.channels, reader.layout.sound_rate) == (channels, 8000)
    frames = sum(part.frames for part in reader)
    assert reader.fault is None and reader.samples == frames * HOP > 0
    assert errors.startswith(b"audiofix: default: algorithmic delay 12.00 ms"), errors


def test_a_rate_and_a_file(codec: Path, live: Mapping[str, str], tmp_path: Path) -> None:
    path = tmp_path / "memo.afc"
    with recording(codec, live, "-r", "11025", "-o", str(path)) as process:
        while not any(part.stat().st_size > 5000 for part in tmp_path.glob(".memo.afc.*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    with path.open("rb") as file:
        reader = CodeReader(file)
        assert sum(part.frames for part in reader) == -(
            -round(reader.samples * 8000 / 11025) // HOP
        )
    assert reader.layout.sound_rate == 11025 and reader.fault is None
    assert list(tmp_path.iterdir()) == [path]


def test_a_listener_that_goes_away_ends_a_recording(codec: Path, live: Mapping[str, str]) -> None:
    with recording(codec, live) as process:
        process.stdout.read(5000)
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


def test_codes_are_played_and_nothing_is_written(
    audiofix: Run, codec: Path, live: Mapping[str, str], coded: Path
) -> None:
    done = audiofix("decode", "--play", coded, "-m", codec, env=live)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = audiofix(
        "decode", "--play", "--realtime", "-m", codec, env=live, stdin=coded.read_bytes()
    )
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"audiofix: standard input: algorithmic delay 3.50 ms")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["encode", "--mic", "x.afc"], 2, "leave INPUT and -e out"),
        (["encode", "--mic", "-e", "f32le"], 2, "leave INPUT and -e out"),
        (["encode", "x.afc", "--device-name", "0"], 2, "add --mic"),
        (["encode", "--mic", "--device-name", "nonsuch", "-o", "y"], 5, "name one of default"),
        (["decode", "--play", "x.afc", "-o", "y"], 2, "leave -o, -t and -b out"),
        (["decode", "--play", "x.afc", "x.afc"], 2, "name one INPUT"),
        (["decode", "x.afc", "--device-name", "0"], 2, "add --play"),
        (["decode", "--play", "x.afc", "--device-name", "nonsuch"], 5, "name one of default"),
    ],
)
def test_what_is_refused(
    audiofix: Run,
    codec: Path,
    live: Mapping[str, str],
    coded: Path,
    words: list[str],
    status: int,
    message: str,
) -> None:
    done = audiofix(*words, "-m", codec, cwd=coded.parent, env=live)
    text = done.stderr.decode()
    assert (done.returncode, text.count("\n")) == (status, 1), text
    assert message in text
    assert list(coded.parent.glob("y*")) == []


def test_without_any_device(audiofix: Run, codec: Path, tmp_path: Path, live: object) -> None:
    (tmp_path / "none.conf").write_text("pcm.x { type nothing }\n")
    nothing = {"ALSA_CONFIG_PATH": str(tmp_path / "none.conf")}
    done = audiofix("encode", "--mic", "-m", codec, env=nothing)
    assert done.returncode == 5
    assert done.stderr == b"audiofix: input device: not found, or not only one: connect one\n"


def test_without_the_extra(audiofix: Run, codec: Path, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise ModuleNotFoundError('sounddevice')\n")
    done = audiofix("encode", "--mic", "-m", codec, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert b"pip install 'audiofix[live]'" in done.stderr
