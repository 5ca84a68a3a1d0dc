"""audiofix between other programs, as a shell starts them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import soundfile
from cli.commands import Run

AUDIOFIX = f"{sys.executable} -m audiofix"

needs_sox = pytest.mark.skipif(not shutil.which("sox"), reason="needs sox")
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def shell(
    line: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in `folder`; a failure anywhere in a pipe is the line's own."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**environment, "TINY": environment.get("TINY", "")},
        capture_output=True,
        timeout=120,
    )


@pytest.fixture
def tiny(environment: Mapping[str, str], model: Path) -> Mapping[str, str]:
    return {**environment, "TINY": str(model)}


@needs_sox
def test_from_cat_to_sox(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    line = f"cat speech.wav | {AUDIOFIX} upsample --to 8k -m $TINY | sox - y.flac"
    done = shell(line, tmp_path, tiny)
    assert done.returncode == 0, done.stderr
    result = soundfile.info(tmp_path / "y.flac")
    assert (result.samplerate, result.channels, result.frames) == (8000, 1, 4000)


@needs_sox
def test_headerless_samples_from_sox(
    recording: Path, tiny: Mapping[str, str], tmp_path: Path
) -> None:
    words = f"{AUDIOFIX} upsample --to 8k -m $TINY"
    for line in (
        f"sox speech.wav -t s16 - | {words} -e s16le -r 4k -c 1 -o bare.wav",
        f"{words} speech.wav -o framed.wav",
    ):
        done = shell(line, tmp_path, tiny)
        assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "bare.wav").read_bytes() == (tmp_path / "framed.wav").read_bytes()


@needs_sox
def test_headerless_samples_by_variable(
    recording: Path, tiny: Mapping[str, str], tmp_path: Path
) -> None:
    line = f"sox speech.wav -t s16 - | AUDIOFIX_PCM=s16le:4k:1 {AUDIOFIX} info --json"
    told = json.loads(shell(line, tmp_path, tiny).stdout)
    assert (told["container"], told["rate"], told["samples"]) == ("raw", 4000, 2000)


@needs_ffmpeg
def test_between_two_ffmpegs(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    quiet = "ffmpeg -nostdin -loglevel error"
    done = shell(
        f"ffmpeg -nostdin -loglevel error -i speech.wav -ar 8000 x.mp3 && "
        f"{quiet} -i x.mp3 -f wav - | {AUDIOFIX} upsample --to 16k -m $TINY -t f32le | "
        "ffmpeg -loglevel error -f f32le -ar 16000 -ac 1 -i - z.wav",
        tmp_path,
        tiny,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    heard = shell(f"{quiet} -i x.mp3 -f wav plain.wav", tmp_path, tiny)
    assert heard.returncode == 0
    result = soundfile.info(tmp_path / "z.wav")
    assert result.samplerate == 16000
    assert result.frames == 2 * soundfile.info(tmp_path / "plain.wav").frames


def test_two_stages_of_audiofix(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    done = shell(
        f"{AUDIOFIX} upsample speech.wav --to 8k -m $TINY | "
        f"{AUDIOFIX} upsample --to 44.1k -m $TINY -o y.wav",
        tmp_path,
        tiny,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    result = soundfile.info(tmp_path / "y.wav")
    assert (result.samplerate, result.frames, result.subtype) == (44100, 22050, "FLOAT")


def test_head_takes_what_it_wants(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    done = shell(
        f"{AUDIOFIX} upsample speech.wav --to 44.1k -m $TINY | head -c 1000 | wc -c; "
        "echo ${PIPESTATUS[0]}",
        tmp_path,
        tiny,
    )
    assert done.stderr == b""
    count, status = done.stdout.split()
    assert count == b"1000"
    assert status in (b"0", b"141")  # what is left may fit into the pipe


def test_standard_output_into_a_file_has_true_sizes(
    recording: Path, tiny: Mapping[str, str], tmp_path: Path
) -> None:
    done = shell(f"{AUDIOFIX} upsample speech.wav --to 8k -m $TINY > y.wav", tmp_path, tiny)
    assert (done.returncode, done.stderr) == (0, b"")
    written = (tmp_path / "y.wav").read_bytes()
    assert int.from_bytes(written[4:8], "little") == len(written) - 8
    assert soundfile.info(tmp_path / "y.wav").frames == 4000


def test_a_pipe_gets_a_streaming_header_unless_told_otherwise(
    audiofix: Run, recording: Path, model: Path
) -> None:
    words = ("upsample", recording, "--to", "8k", "-m", model)
    # Python's own switch for unbuffered output must not change a byte either.
    framed = audiofix(*words, env={"PYTHONUNBUFFERED": "1"}).stdout
    bare = audiofix(*words, env={"PYTHONUNBUFFERED": "", "AUDIOFIX_PIPE": "f32le"}).stdout
    assert framed[:8] == b"RIFF\xff\xff\xff\xff"
    assert len(bare) == 4 * 4000
    assert framed.endswith(bare)


def test_info_reads_a_pipe(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    line = f"{AUDIOFIX} upsample speech.wav --to 8k -m $TINY | {AUDIOFIX} info --json"
    done = shell(line, tmp_path, tiny)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"samples": 4000' in done.stdout and b'"rate": 8000' in done.stdout


def test_appending_to_the_input_is_refused(
    recording: Path, tiny: Mapping[str, str], tmp_path: Path
) -> None:
    before = recording.read_bytes()
    done = shell(f"{AUDIOFIX} upsample speech.wav --to 8k -m $TINY >> speech.wav", tmp_path, tiny)
    assert (done.returncode, recording.read_bytes()) == (2, before)


def test_closed_standard_streams(recording: Path, tiny: Mapping[str, str], tmp_path: Path) -> None:
    closed_output = shell(f"{AUDIOFIX} upsample speech.wav --to 8k -m $TINY >&-", tmp_path, tiny)
    assert closed_output.returncode == 6
    closed_input = shell(f"{AUDIOFIX} upsample --to 8k -m $TINY <&- >y.wav", tmp_path, tiny)
    assert closed_input.returncode == 2


def test_a_part_can_be_tried(audiofix: Run, recording: Path, model: Path) -> None:
    words = ("upsample", recording, "--to", "8k", "-m", model, "-t", "f32le")
    x, _ = soundfile.read(recording, dtype="float32")
    part = audiofix(*words, "--start", "0:0.1", "--duration", "0.25").stdout
    cut = x[400:1400].astype("<f4").tobytes()
    raw = ("-e", "f32le", "-r", "4000", "-c", "1")
    assert part == audiofix("upsample", "--to", "8k", "-m", model, "-t", "f32le", *raw,
                            stdin=cut).stdout  # fmt: skip
    assert len(part) == 2000 * 4
    assert len(audiofix(*words, "--start", "1000").stdout) == 0
    done = audiofix(*words, "--start", "soon")
    assert done.returncode == 2 and b"not a time" in done.stderr
