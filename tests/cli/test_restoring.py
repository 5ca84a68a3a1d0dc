"""`decode-restore` on coded files, folders and pipes, with a network of random weights."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import Run
from cli.test_pipes import AUDIOFIX, shell

from audiofix.audio.lossy import encoded, parse_coding

pytest.importorskip("av")
RATE = 44100
SAMPLES = 12347


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A residual Apollo whose correction is small but not nothing."""
    import torch

    from audiofix.backends.apollo.config import ApolloConfig
    from audiofix.backends.apollo.network import Apollo
    from audiofix.backends.weights import Checkpoint, save_checkpoint

    config = ApolloConfig(feature_dim=16, layer=1, residual=True, dither=1e-4)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        tensors = dict(Apollo(config).state_dict())
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    settings = {**asdict(config), "rate": RATE}
    save_checkpoint(path, Checkpoint("tiny", "apollo", settings, tensors, "test"))
    return path


def music(channels: int, samples: int = SAMPLES) -> np.ndarray:
    generator = np.random.default_rng(channels)
    time = np.arange(samples) / RATE
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 330, 3000))
    return (0.1 * tones + 0.02 * generator.standard_normal((channels, samples))).astype(np.float32)


def write_coded(path: Path, word: str, channels: int = 2, samples: int = SAMPLES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(music(channels, samples), RATE, parse_coding(word)))


def test_an_mp3_keeps_its_gapless_length(audiofix: Run, model: Path, tmp_path: Path) -> None:
    write_coded(tmp_path / "x.mp3", "mp3:64k")
    done = audiofix("decode-restore", "x.mp3", "-o", "y.flac", "-m", model, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    about = soundfile.info(tmp_path / "y.flac")
    assert (about.samplerate, about.channels, about.frames) == (RATE, 2, SAMPLES)
    sound, _ = soundfile.read(tmp_path / "y.flac")
    difference = sound.T - music(2)
    assert (difference**2).sum() < 0.1 * (sound**2).sum()


def test_a_folder_of_everything(audiofix: Run, model: Path, tmp_path: Path) -> None:
    write_coded(tmp_path / "in" / "a.mp3", "mp3:32k", channels=1)
    write_coded(tmp_path / "in" / "deep" / "b.m4a", "aac:64k")
    write_coded(tmp_path / "in" / "c.opus", "opus:48k")
    soundfile.write(tmp_path / "in" / "d.wav", music(6).T, RATE)
    words = ("decode-restore", "in", "-o", "out", "-t", "wav", "-m", model)
    done = audiofix(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {
        path.relative_to(tmp_path / "out").as_posix(): soundfile.info(path)
        for path in (tmp_path / "out").rglob("*.wav")
    }
    assert {name: (one.channels, one.frames) for name, one in found.items()} == {
        "a.wav": (1, SAMPLES),
        "deep/b.wav": (2, SAMPLES),
        "c.wav": (2, -(-SAMPLES * 48000 // RATE)),
        "d.wav": (6, SAMPLES),
    }


@pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("sox")), reason="needs ffmpeg and sox"
)
def test_between_ffmpeg_and_sox(
    environment: Mapping[str, str], model: Path, tmp_path: Path
) -> None:
    write_coded(tmp_path / "x.m4a", "aac:64k")
    line = (
        f"ffmpeg -v error -i x.m4a -f wav - | {AUDIOFIX} decode-restore -m {model} | sox - y.flac"
    )
    done = shell(line, tmp_path, environment)
    assert done.returncode == 0, done.stderr
    about = soundfile.info(tmp_path / "y.flac")
    assert (about.samplerate, about.channels) == (RATE, 2)
    # ffmpeg's own reading of the file; it may leave the encoder's padding at the end.
    assert 0 <= about.frames - SAMPLES < 1024


def test_lengths_and_another_rate(audiofix: Run, model: Path, tmp_path: Path) -> None:
    for samples in (1, 441, 882):
        soundfile.write(tmp_path / "x.wav", music(1, samples).T, RATE)
        words = ("decode-restore", "x.wav", "-o", "y.wav", "-m", model, "--overwrite")
        assert audiofix(*words, "--to", "48k", cwd=tmp_path).returncode == 0
        about = soundfile.info(tmp_path / "y.wav")
        assert (about.samplerate, about.frames) == (48000, round(samples * 48000 / RATE))


def test_a_mix_of_none_of_the_model_is_the_input(
    audiofix: Run, model: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "x.wav", music(2).T, RATE)
    words = ("decode-restore", "x.wav", "-m", model, "--mix")
    for mix, name in (("0", "dry.wav"), ("1", "wet.wav"), ("0.25", "mixed.wav")):
        assert audiofix(*words, mix, "-b", "32f", "-o", name, cwd=tmp_path).returncode == 0
    x, dry, wet, mix = (
        soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("x", "dry", "wet", "mixed")
    )
    assert np.array_equal(dry, x)
    assert np.abs(wet - x).max() > 1e-4
    assert mix == pytest.approx(0.75 * x + 0.25 * wet, abs=1e-6)
    assert audiofix(*words, "nan", cwd=tmp_path).returncode == 2


def test_a_model_for_another_task_is_refused(audiofix: Run, model: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", music(1).T, RATE)
    done = audiofix("upsample", "x.wav", "--to", "48k", "-o", "y.wav", "-m", model, cwd=tmp_path)
    assert done.returncode == 4
    assert b"cannot upsample" in done.stderr


def test_in_a_chain(audiofix: Run, model: Path, tmp_path: Path) -> None:
    write_coded(tmp_path / "x.mp3", "mp3:64k")
    parts = f"decode-restore -m {model} | decode-restore --to 48k -m {model}"
    done = audiofix("chain", parts, "x.mp3", "-o", "y.wav", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    about = soundfile.info(tmp_path / "y.wav")
    assert (about.samplerate, about.channels) == (48000, 2)
    assert about.frames == round(SAMPLES * 48000 / RATE)
