"""`audiofix generate`, whole."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from tiny import tiny_asgan_checkpoint

from audiofix.backends.latent_files import read_latents
from audiofix.cli.console import Console
from audiofix.cli.main import group
from audiofix.errors import InputError, OutputError, UsageError

SECOND = 16000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_asgan_checkpoint(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def generate(model, tmp_path, monkeypatch):
    """Run `audiofix generate` in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(words):
        arguments = ["generate", "-m", str(model), "--no-progress", *shlex.split(words)]
        group.main(arguments, prog_name="audiofix", standalone_mode=False, obj=Console())

    return run


def sound(path):
    return soundfile.read(path, dtype="float32")[0]


def test_a_folder_gets_a_file_for_each(generate):
    generate("-n 3 --seed 7 -o words/ -b 32f")
    assert sorted(p.name for p in Path("words").iterdir()) == ["0000.wav", "0001.wav", "0002.wav"]
    generate("-n 1 --seed 7 -o one.wav -b 32f")
    np.testing.assert_array_equal(sound("one.wav"), sound("words/0000.wav"))
    generate("-n 3 --seed 7 -o again/ -b 32f")
    for name in ("0000.wav", "0002.wav"):
        assert Path("words", name).read_bytes() == Path("again", name).read_bytes()
    with pytest.raises(OutputError, match="0000.wav: exists"):
        generate("-n 3 --seed 7 -o words/")


def test_recordings_that_are_there_are_skipped(generate, capsys):
    generate("-n 3 --seed 7 --truncation 0.7 -o whole/ -b 32f")
    Path("part").mkdir()
    Path("part/0001.wav").write_bytes(b"mine")
    generate("-n 3 --seed 7 --truncation 0.7 -o part/ -b 32f --skip-existing")
    assert "1 of 3 files are there already" in capsys.readouterr().err
    assert Path("part/0001.wav").read_bytes() == b"mine"
    for name in ("0000.wav", "0002.wav"):
        np.testing.assert_allclose(sound(f"part/{name}"), sound(f"whole/{name}"), atol=1e-5)
    before = Path("whole/0000.wav").stat().st_mtime_ns
    generate("-n 2 -o whole/0000.wav --skip-existing")
    assert Path("whole/0000.wav").stat().st_mtime_ns == before


def test_latents_are_saved_loaded_mixed_and_joined_by_steps(generate):
    generate("-n 2 --save-latents z.npz -o a.wav -b 32f --gap 0.5")
    assert len(sound("a.wav")) == 2 * SECOND + SECOND // 2
    generate("--latents z.npz -o 'b-%d.wav' -b 32f")
    np.testing.assert_array_equal(sound("b-1.wav"), sound("a.wav")[-SECOND:])
    generate("--latents z.npz --interpolate 2 --save-latents between.safetensors -o c/")
    assert len(list(Path("c").iterdir())) == 4
    assert read_latents(Path("between.safetensors")).values.shape == (4, 8)
    mixing = "--latents z.npz --mix-from 12 --mix-layers 2-3 --save-latents w.npz"
    generate(f"{mixing} -o d.wav -b 32f")
    assert read_latents(Path("w.npz")).values.shape == (2, 4, 8)
    assert np.abs(sound("d.wav")[:SECOND] - sound("b-0.wav")).max() > 1e-3
    generate("--latents w.npz -n 1 -o e.wav -b 32f")
    np.testing.assert_array_equal(sound("e.wav"), sound("d.wav")[:SECOND])


def test_rate_and_level_are_the_users(generate):
    generate("--to 48k --level -6 -o a.wav -b 32f")
    assert len(sound("a.wav")) == 3 * SECOND
    assert np.abs(sound("a.wav")).max() == pytest.approx(10 ** (-6 / 20), rel=1e-4)


def test_a_recording_is_matched(generate):
    generate("--seed 3 -o a.wav -b 32f")
    generate("--match a.wav --match-steps 5 --save-latents m.npz -o b.wav")
    assert read_latents(Path("m.npz")).values.shape == (1, 4, 8)
    with pytest.raises(InputError, match="missing.wav"):
        generate("--match missing.wav -o c.wav")


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ("--latents a.npz --match b.wav", UsageError, "leave one out"),
        ("--mix-from 3", UsageError, "give both"),
        ("--interpolate 3", UsageError, "add -n 2"),
        ("--mix-from 3 --mix-layers 2-9 -o a.wav", UsageError, "styles 0 to 3"),
        ("--mix-from 3 --mix-layers 5-2 -o a.wav", click.UsageError, "not a span"),
        ("--latents missing.npz -o a.wav", InputError, "no latents"),
        ("-o missing/a.wav", OutputError, "folder does not exist"),
        ("--save-latents a.txt -o a.wav", UsageError, "latents are saved as"),
        ("-o 'a-%s-%d.wav'", UsageError, "one %d"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(generate, words, error, message):
    with pytest.raises(error, match=message):
        generate(words)
    assert not list(Path().glob("*.wav*"))


@pytest.mark.skipif(not shutil.which("sox"), reason="needs sox")
def test_a_pipe_gets_one_stream(model, environment, tmp_path):
    line = f"{sys.executable} -m audiofix generate -m {model} -n 3 | sox - y.wav"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert len(sound(tmp_path / "y.wav")) == 3 * SECOND


def test_a_reader_that_goes_away_ends_it_quietly(model, environment):
    line = f"{sys.executable} -m audiofix generate -m {model} -n 1000 | head -c 100 >/dev/null"
    done = subprocess.run(
        ["bash", "-c", f"{line}; echo ${{PIPESTATUS[0]}}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "141" and not done.stderr
