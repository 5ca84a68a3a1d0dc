"""Exit statuses, one-line errors, start-up and streams of whole commands."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import Run, command_line

HEAVY = ("numpy", "torch", "requests", "rich", "tqdm", "soundfile", "soxr")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["upsample", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str], environment: Mapping[str, str]) -> None:
    program = (
        "import sys\n"
        "from audiofix.cli.main import main\n"
        f"sys.argv = ['audiofix', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, check=True
    )
    assert done.stdout.splitlines()[-1] == b"[]"


def test_completion_loads_nothing_heavy(environment: Mapping[str, str]) -> None:
    program = (
        "import sys, atexit\n"
        f"show = lambda: print([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)\n"
        "atexit.register(show)\n"
        "from audiofix.cli.main import main\n"
        "sys.argv = ['audiofix']\n"
        "main()\n"
    )
    words = {"_AUDIOFIX_COMPLETE": "bash_complete", "COMP_WORDS": "audiofix up", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**environment, **words},
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"plain,upsample\n", b"[]\n")


@pytest.mark.parametrize("verb", ["upsample", "eval", "info", "models", "doctor"])
def test_every_verb_has_help(verb: str, audiofix: Run) -> None:
    long, short = audiofix(verb, "--help"), audiofix(verb, "-h")
    assert long.returncode == short.returncode == 0
    assert long.stdout == short.stdout
    assert long.stdout.startswith(f"Usage: audiofix {verb} ".encode())


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, b"Usage: audiofix"),
        (["upsampel"], 2, b"upsampel"),
        (["upsample", "x.wav"], 2, b"--to"),
        (["upsample", "x.wav", "--to", "fast"], 2, b"not a rate"),
        (["upsample", "x.wav", "--to", "0"], 2, b"not a rate"),
        (["upsample", "x.wav", "--to", "8k", "--cutoff", "-1"], 2, b"not a frequency"),
        (["upsample", "x.wav", "--to", "8k", "-t", "wma"], 2, b"wma"),
        (["upsample", "x.wav", "--to", "8k", "-r", "8k"], 2, b"-e and -c missing"),
        (["upsample", "x.wav", "y.wav", "--to", "8k"], 2, b"-o"),
        (["upsample", "absent.wav", "--to", "8k"], 3, b"absent.wav"),
        (["upsample", "--to", "8k"], 3, b"standard input: empty"),
        (["info", "absent.wav"], 3, b"absent.wav"),
    ],
)
def test_statuses_without_a_model(
    arguments: list[str], status: int, words: bytes, audiofix: Run, tmp_path: Path
) -> None:
    done = audiofix(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, b"")
    assert words in done.stderr
    if arguments:
        assert done.stderr.startswith(b"audiofix: ")
        assert done.stderr.count(b"\n") == 1


def test_noise_is_refused_before_a_model_loads(audiofix: Run) -> None:
    noise = np.random.default_rng(0).bytes(5000)
    done = audiofix("upsample", "--to", "8k", "-m", "no-such-model", stdin=noise)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"-e, -r and -c" in done.stderr


def test_the_model_that_ships_needs_no_network(audiofix: Run, tmp_path: Path) -> None:
    x = 0.1 * np.random.default_rng(0).standard_normal(1601)
    soundfile.write(tmp_path / "x.wav", x, 16000)
    result = tmp_path / "y.wav"
    done = audiofix("upsample", tmp_path / "x.wav", "--to", "48k", "-o", result)
    assert (done.returncode, done.stderr) == (0, b"")
    y, rate = soundfile.read(result)
    assert (rate, len(y)) == (48000, 4803)
    high = np.abs(np.fft.rfft(y))[len(y) * 9000 // 48000 :]
    assert high.max() > 1e-3 * np.abs(np.fft.rfft(y)).max()


def test_unknown_model_is_status_4(audiofix: Run, recording: Path) -> None:
    done = audiofix("upsample", recording, "--to", "8k", "-m", "no-such-model")
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.count(b"\n") == 1


def test_absent_device_is_status_5(audiofix: Run, recording: Path, model: Path) -> None:
    done = audiofix("upsample", recording, "--to", "8k", "-m", model, "--device", "cuda:63")
    assert (done.returncode, done.stdout) == (5, b"")
    assert done.stderr.count(b"\n") == 1


def test_steps_are_refused_by_a_model_without_them(
    audiofix: Run, recording: Path, model: Path
) -> None:
    done = audiofix("upsample", recording, "--to", "8k", "-m", model, "--steps", "4")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--steps" in done.stderr


def test_existing_output_is_status_6_and_left_alone(
    audiofix: Run, recording: Path, model: Path, tmp_path: Path
) -> None:
    result = tmp_path / "y.wav"
    result.write_bytes(b"mine")
    words = ["upsample", recording, "--to", "8k", "-m", model, "-o", result]
    refused = audiofix(*words)
    assert (refused.returncode, result.read_bytes()) == (6, b"mine")
    skipped = audiofix(*words, "--skip-existing")
    assert (skipped.returncode, result.read_bytes()) == (0, b"mine")
    assert audiofix(*words, "--overwrite").returncode == 0
    assert soundfile.info(result).frames == 4000


def test_missing_folder_is_status_6(audiofix: Run, recording: Path, tmp_path: Path) -> None:
    done = audiofix("upsample", recording, "--to", "8k", "-o", tmp_path / "no" / "y.wav")
    assert done.returncode == 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_status_6(
    recording: Path, model: Path, environment: Mapping[str, str]
) -> None:
    words = command_line(["upsample", recording, "--to", "8k", "-m", model])
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert done.returncode == 6
    assert done.stderr.count(b"\n") == 1


def test_input_as_output_is_refused(audiofix: Run, recording: Path) -> None:
    before = recording.read_bytes()
    done = audiofix("upsample", recording, "--to", "8k", "-o", recording, "--overwrite")
    assert (done.returncode, recording.read_bytes()) == (2, before)


def test_cut_file_is_written_and_status_3(
    audiofix: Run, recording: Path, model: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(recording.read_bytes()[: 44 + 2 * 1500])
    result = tmp_path / "y.wav"
    done = audiofix("upsample", cut, "--to", "8k", "-m", model, "-o", result)
    assert done.returncode == 3
    assert soundfile.info(result).frames == 3000


def test_cut_stream_is_written_and_status_0(
    audiofix: Run, recording: Path, model: Path, tmp_path: Path
) -> None:
    result = tmp_path / "y.wav"
    done = audiofix(
        "upsample", "--to", "8k", "-m", model, "-o", result,
        stdin=recording.read_bytes()[: 44 + 2 * 1500],
    )  # fmt: skip
    assert (done.returncode, soundfile.info(result).frames) == (0, 3000)
    assert done.stderr.count(b"\n") == 1


def test_quiet_and_verbose(audiofix: Run, recording: Path, model: Path) -> None:
    words = ["upsample", recording, "--to", "8k", "-m", model]
    plain, verbose = audiofix(*words), audiofix(*words, "-v")
    assert plain.stderr == b""
    for word in (b"4000 Hz", b"8000 Hz", b"tiny", b"cpu", b"band ends"):
        assert word in verbose.stderr
    assert plain.stdout == verbose.stdout
    quiet = audiofix("info", "absent.wav", "-q")
    assert (quiet.returncode, quiet.stderr.count(b"\n")) == (3, 1)


@pytest.mark.parametrize("forced", [{"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_colour_follows_the_environment(forced: dict[str, str], audiofix: Run) -> None:
    done = audiofix("info", "absent.wav", env=forced)
    assert (b"\x1b[" in done.stderr) is ("NO_COLOR" not in forced)


def test_defects_show_a_traceback_only_when_asked(environment: Mapping[str, str]) -> None:
    program = (
        "import sys\n"
        "import audiofix.verbs.info as info\n"
        "from audiofix.cli.main import main\n"
        "def broken(names):\n    raise KeyError('surprise')\n"
        "info.inputs_or_pipe = broken\n"
        "main()\n"
    )
    for flags, traceback in ([], False), (["-v"], True):
        done = subprocess.run(
            [sys.executable, "-c", program, "info", *flags], capture_output=True, env=environment
        )
        assert done.returncode == 1
        assert (b"Traceback" in done.stderr) is traceback
        assert done.stderr.splitlines()[-1].startswith(b"audiofix: defect")


def test_a_reader_that_goes_away_ends_us_quietly_with_141(
    model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, 0.1 * np.random.default_rng(3).standard_normal(400_000), 4000)
    words = command_line(["upsample", long, "--to", "8k", "-m", model])
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.read(4) == b"RIFF"
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")


def test_text_into_a_closed_pipe_is_141(recording: Path, environment: Mapping[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command_line(["info", recording]), stdout=writer, stderr=subprocess.PIPE, env=environment
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_leave_no_part_file(
    number: signal.Signals,
    status: int,
    model: Path,
    recording: Path,
    tmp_path: Path,
    environment: Mapping[str, str],
) -> None:
    result = tmp_path / "y.wav"
    words = ["upsample", "-", "--to", "8k", "-m", model, "-o", result, "-v"]
    with subprocess.Popen(
        command_line(words), stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin and process.stderr
        process.stdin.write(recording.read_bytes())
        process.stdin.flush()
        # The sink is open once its line has come; the stream's end never does.
        assert any(b"y.wav: 8000 Hz" in line for line in process.stderr)
        assert list(tmp_path.glob(".y.wav.*.audiofix-part"))
        process.send_signal(number)
        assert process.wait(60) == status
    assert not list(tmp_path.glob(".*"))
    assert not result.exists()


def test_a_signal_while_a_thread_starts_does_not_keep_the_process(
    environment: Mapping[str, str],
) -> None:
    program = (
        "import os, signal, sys, threading\n"
        "from audiofix.cli.main import group, main\n"
        "def start_a_thread_that_nobody_ends(*_):\n"
        "    threading.Thread(target=threading.Event().wait).start()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "group.invoke = start_a_thread_that_nobody_ends\n"
        "sys.argv = ['audiofix', 'doctor']\n"
        "main()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as process:
        try:
            assert process.wait(60) == 143
        finally:
            process.kill()


def on_a_terminal(
    words: list[str], environment: Mapping[str, str], **streams: object
) -> tuple[int, bytes]:
    """Run with the named streams on a terminal; return the status and what it showed."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    files = {name: follower if file == "terminal" else file for name, file in streams.items()}
    with subprocess.Popen(words, env=environment, **files) as process:  # type: ignore[call-overload]
        os.close(follower)
        shown = b""
        try:
            while data := os.read(leader, 65536):
                shown += data
        except OSError:  # Linux's way to say that nobody holds the other end any more
            pass
    os.close(leader)
    return process.returncode, shown


def test_sound_never_goes_to_a_terminal(recording: Path, environment: Mapping[str, str]) -> None:
    words = command_line(["upsample", recording, "--to", "8k", "-m", "no-such-model"])
    status, shown = on_a_terminal(words, environment, stdout="terminal", stderr="terminal")
    assert status == 2
    assert b"terminal" in shown and b"RIFF" not in shown


def test_a_terminal_is_no_input(environment: Mapping[str, str]) -> None:
    words = command_line(["upsample", "--to", "8k"])
    status, shown = on_a_terminal(
        words, environment, stdin="terminal", stdout=subprocess.DEVNULL, stderr="terminal"
    )
    assert status == 2
    assert b"input" in shown


@pytest.mark.parametrize(("flags", "bar"), [([], True), (["--no-progress"], False)])
def test_bars_show_on_a_terminal_only(
    flags: list[str], bar: bool, recording: Path, model: Path, environment: Mapping[str, str]
) -> None:
    words = command_line(["upsample", recording, "--to", "8k", "-m", model, *flags])
    status, shown = on_a_terminal(words, environment, stdout=subprocess.DEVNULL, stderr="terminal")
    assert status == 0
    assert (b"speech.wav:   0%" in shown) is bar
    assert (b"loading the model ..." in shown) is bar
    assert b"speech.wav: 0.5 s of sound in " in shown
