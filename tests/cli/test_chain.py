"""`chain`: the same as the shell's pipe, in one process."""

from importlib import import_module
from pathlib import Path

import mutagen
import pytest
import soundfile
from cli.commands import Run
from tiny import tiny_codec_checkpoint

from audiofix.verbs import VERBS, chain


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_codec_checkpoint(tmp_path_factory.mktemp("codec") / "tiny.safetensors")


def test_a_chain_is_the_pipe_to_the_byte(
    audiofix: Run, recording: Path, model: Path, codec: Path, tmp_path: Path
) -> None:
    stages = [
        ["upsample", "--to", "8k", "-m", str(model)],
        ["inpaint", "--gaps", "0.2-0.22"],
        ["encode", "--codebooks", "2", "-m", str(codec)],
        ["decode", "-m", str(codec)],
        ["upsample", "--to", "11025", "-m", str(model), "--cutoff", "3k", "--mix", "0.3"],
    ]
    text = "|".join(" ".join(stage) for stage in stages[:-1]) + " | " + " ".join(stages[-1])
    piped = recording.read_bytes()
    for stage in stages:
        piped = audiofix(*stage, stdin=piped).stdout
    done = audiofix("chain", text, recording)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == piped
    assert audiofix("chain", text, stdin=recording.read_bytes()).stdout == piped

    last = audiofix(*stages[-1], "-o", tmp_path / "p.wav",
                    stdin=audiofix("chain", text.rpartition("|")[0], recording).stdout)  # fmt: skip
    assert last.returncode == 0
    assert audiofix("chain", text, recording, "-o", tmp_path / "c.wav").returncode == 0
    assert (tmp_path / "c.wav").read_bytes() == (tmp_path / "p.wav").read_bytes()


def test_folders_tags_and_what_verbs_take_over(
    audiofix: Run, speech: object, model: Path, codec: Path, tmp_path: Path
) -> None:
    for name in ("a", "deep/b"):
        path = tmp_path / "in" / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, speech, 4000)
    tagged = mutagen.File(tmp_path / "in/a.flac")
    tagged["title"] = "Lied"
    tagged.save()
    text = f"encode -m '{codec}' | decode -m {codec} | upsample --to 8k -m \"{model}\""
    done = audiofix("chain", text, "in", "-o", "out", "-b", "16", "-j", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("a", "deep/b"):
        about = soundfile.info(tmp_path / "out" / f"{name}.flac")
        assert (about.frames, about.samplerate, about.subtype) == (4000, 8000, "PCM_16")
    assert mutagen.File(tmp_path / "out/a.flac")["title"] == ["Lied"]
    done = audiofix("chain", text, "in/a.flac", "--device", "cuda:7", cwd=tmp_path)
    assert done.returncode == 5
    done = audiofix("chain", text.replace("encode", "encode --device cpu"), "in/a.flac",
                    "--device", "mps", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 5


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "a verb is missing"),
        ("upsample --to 48k |", 20, "a verb is missing"),
        ("| decode", 1, "no verb before it"),
        ("encod | decode", 1, "encod: no verb from sound to sound"),
        ("encode |  train x", 11, "train: no verb from sound to sound"),
        ("encode | decode | models list", 19, "models: no verb"),
        ("upsample --too 48k", 10, "No such option"),
        ("encode|decode|upsample --to=fast", 24, "not a rate"),
        ("encode | decode | upsample", 19, "Missing option"),
        ("upsample --to '48k", 14, "does not end"),
        ("upsample --to 48k -o x.wav", 19, "not within a chain"),
        ("upsample --to 48k x.wav", 1, "not within a chain"),
        ("encode --mic | decode", 8, "not within a chain"),
        ("encode", 1, "add `| decode`"),
        ("decode | encode", 1, "put encode before it"),
        ("encode | upsample --to 8k", 10, "put decode behind it"),
        ("encode --bitrate 1 --codebooks 1 | decode", 1, "give one of them"),
    ],
)
def test_mistakes_are_shown_in_their_place(
    text: str, column: int, words: str, audiofix: Run, recording: Path
) -> None:
    done = audiofix("chain", text, recording, "-t", "f32le")
    message = done.stderr.decode()
    assert (done.returncode, done.stdout, message.count("\n")) == (2, b"", 1)
    assert message.startswith(f"audiofix: chain, column {column}: ") and words in message


def test_codes_of_another_codec_are_refused(audiofix: Run, codec: Path, recording: Path) -> None:
    other = tiny_codec_checkpoint(codec.with_name("other.safetensors"), seed=1)
    done = audiofix("chain", f"encode -m {codec} | decode -m {other}", recording)
    assert done.returncode == 4 and b"name the right model" in done.stderr


def test_refused_options_are_options() -> None:
    known = {
        str(parameter.name)
        for module, _ in VERBS.values()
        for parameter in import_module(module).command.params
    }
    assert set(chain._INHERITED) <= known
    assert set(chain._REFUSED) <= known
