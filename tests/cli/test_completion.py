"""What tab completes, through the environment as the scripts ask for it, and in real shells."""

import os
import pty
import select
import shutil
import sys
import time
from pathlib import Path

import pytest
from cli.commands import Run

COMPLETIONS = Path(__file__).parents[2] / "completions"


def completed(audiofix: Run, words: str) -> list[str]:
    """Return what completes the last word, after it bash's kind."""
    place = len(words.split(" ")) - 1
    env = {"_AUDIOFIX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
    done = audiofix(env=env)
    assert done.stderr == b""
    return done.stdout.decode().split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("audiofix ups", ["plain,upsample"]),
        ("audiofix upsample --cut", ["plain,--cutoff"]),
        ("audiofix upsample -m vmasr-small", ["plain,vmasr-small-48k"]),
        ("audiofix upsample -m run/la", ["file,run/la"]),
        ("audiofix upsample -t fl", ["plain,flac"]),
        ("audiofix upsample speech", ["file,speech"]),
        ("audiofix upsample x.wav -o y", ["file,y"]),
        ("audiofix upsample --to 4", ["plain,44100", "plain,48k"]),
        ("audiofix upsample --precision b", ["plain,bf16"]),
        ("audiofix eval --metrics snr,sto", ["plain,snr,stoi"]),
        ("audiofix models sh", ["plain,show"]),
        ("audiofix models show audiodec-small-16", ["plain,audiodec-small-16k"]),
        ("audiofix encode -m vmasr-small", ["file,vmasr-small"]),
        ("audiofix eval -m vmasr-small", ["plain,vmasr-small-48k"]),
        ("audiofix upsample -m bes", ["plain,best"]),
        ("audiofix models show bes", ["file,bes"]),
        ("audiofix train vmasr --config ", ["plain,vmasr", "plain,vmasr-small"]),
        ("audiofix train audiodec.voc", ["plain,audiodec.vocoder"]),
        ("audiofix train vmasr --config vmasr-", ["plain,vmasr-small"]),
        ("audiofix train vmasr --data dat", ["file,dat"]),
        ("audiofix encode --codebooks ", []),
    ],
)
def test_words_and_files(audiofix: Run, words: str, expected: list[str]) -> None:
    assert completed(audiofix, words) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "begin"),
    [
        (["bash", "--norc"], f"source {COMPLETIONS}/audiofix.bash"),
        (["zsh", "-f"], f"fpath=({COMPLETIONS} $fpath); autoload -U compinit; compinit -u -D"),
        (["fish", "--no-config"], f"source {COMPLETIONS}/audiofix.fish"),
    ],
)
def test_real_shells_complete_verbs_values_and_files(
    shell: list[str], begin: str, environment: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not here")
    (tmp_path / "speech.wav").touch()
    process, terminal = pty.fork()
    if not process:
        os.chdir(tmp_path)
        path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        environment = {**environment, "TERM": "xterm", "HOME": str(tmp_path), "PATH": path}
        os.execvpe(shell[0], shell, environment)
    try:
        told(terminal, f"{begin}; echo rea''dy\n", 60, "ready")
        told(terminal, "\n", 5)
        for typed, expected in (
            ("audiofix upsa\t", "upsample"),
            ("speec\t", "h.wav"),
            (" -m vmasr-small-4\t", "8k"),
        ):
            shown = told(terminal, typed, 30, expected)
            assert expected in shown
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def told(terminal: int, typed: str, seconds: float, expected: str | None = None) -> str:
    """Type something, and return what the terminal shows until `expected`, or silence."""
    os.write(terminal, typed.encode())
    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not (expected and expected in shown):
        if select.select([terminal], [], [], 1.0 if expected else 2.0)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
        elif expected is None:
            break
    return shown
