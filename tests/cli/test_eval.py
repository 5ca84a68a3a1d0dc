"""`audiofix eval` as a user runs it."""

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import Run
from stages import noise
from tiny import tiny_codec_checkpoint

from audiofix.metrics.perceptual import installed
from audiofix.metrics.score import METRICS
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.verbs import evaluate


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Three references at 8 kHz, and estimates that are a tenth too loud."""
    for index, name in enumerate(("a", "sub/b", "sub/c")):
        x = noise(1, 8000, seed=index).T
        for folder, kind, gain in (("clean", "wav", 1.0), ("made", "flac", 1.1)):
            path = tmp_path / folder / f"{name}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, gain * x, 8000, subtype="PCM_24")
    return tmp_path


def test_folders_are_compared_by_name(audiofix: Run, folders: Path) -> None:
    words = ("eval", "clean", "made", "--metrics", "snr,si-sdr,lsd")
    done = audiofix(*words, "--json", "r.json", "--csv", "r.csv", cwd=folders)
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads((folders / "r.json").read_text())
    assert document["subject"] == {"reference": "clean", "estimate": "made"}
    assert list(document["metrics"]) == ["snr", "si-sdr", "lsd"]
    assert [row["name"] for row in document["results"]] == ["a", "sub/b", "sub/c"]
    for row in document["results"]:
        assert row["scores"]["snr"] == pytest.approx(20, abs=1e-2)
        assert row["scores"]["lsd"] == pytest.approx(2 * np.log10(1.1), abs=1e-3)
    assert [(mean["group"], mean["files"]) for mean in document["means"]] == [
        ("", 1), ("sub", 2), ("(all)", 3),
    ]  # fmt: skip
    with (folders / "r.csv").open() as lines:
        assert [row["name"] for row in csv.DictReader(lines)] == ["a", "sub/b", "sub/c"]
    table = done.stdout.decode()
    assert "sub/b" in table and "SNR dB" in table and "20.00" in table
    assert "n_fft: 2048; hop: 512; window: periodic hann" in table and "epsilon: 1e-08" in table


def test_the_usual_metrics_are_those_that_can_be_computed(audiofix: Run, folders: Path) -> None:
    done = audiofix("eval", "clean/a.wav", "made/a.flac", "--json", "r.json", cwd=folders)
    assert (done.returncode, done.stderr) == (0, b"")
    heard = [name for name in ("pesq", "stoi", "visqol") if installed(name)]
    found = json.loads((folders / "r.json").read_text())["metrics"]
    assert list(found) == ["snr", "si-sdr", "lsd", *heard]
    assert "LSD (standard)" in done.stdout.decode()


def test_two_files_and_the_border_of_their_bands(audiofix: Run, folders: Path) -> None:
    words = ("eval", "clean/a.wav", "made/a.flac", "--cutoff", "2k", "--lsd-preset", "decibel")
    done = audiofix(*words, "--metrics", "lsd-hf,lsd-lf", "--json", "-", cwd=folders)
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    for score in document["results"][0]["scores"].values():
        assert score == pytest.approx(20 * np.log10(1.1), abs=1e-2)
    assert document["lsd"]["unit"] == "dB"


def test_the_model_stands_beside_plain_resampling(
    audiofix: Run, model: Path, folders: Path
) -> None:
    words = ("eval", "-m", model, "--data", "clean", "--include", "sub/*", "--to", "8k",
             "--input-rates", "2k,4k", "--means", "--metrics", "snr,rtf")  # fmt: skip
    done = audiofix(*words, "--html", "r.html", "--json", "r.json", cwd=folders)
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads((folders / "r.json").read_text())
    rows = [(row["name"], row["input_rate"], row["method"]) for row in document["results"]]
    assert rows == [
        (name, rate, method)
        for name in ("sub/b", "sub/c")
        for rate in (2000, 4000)
        for method in ("sinc", "model")
    ]
    for row in document["results"]:
        assert (row["rate"], row["samples"]) == (8000, 8000)
        assert row["scores"]["rtf"] > 0
    means = {(mean["input_rate"], mean["method"]): mean["scores"] for mean in document["means"]}
    # Half of white noise is lost at 4 kHz, three quarters at 2 kHz.
    assert means[4000, "sinc"]["snr"]["mean"] == pytest.approx(3, abs=0.3)
    assert means[2000, "sinc"]["snr"]["mean"] == pytest.approx(1.25, abs=0.3)
    page = (folders / "r.html").read_text()
    assert page.count('src="data:image/png') == page.count('src="data:audio/flac') == 12
    assert b"sub/b" not in done.stdout and b"* " in done.stdout


def test_a_codec_is_measured_as_a_round_trip(audiofix: Run, folders: Path) -> None:
    codec = tiny_codec_checkpoint(folders / "codec.safetensors", rate=4000)
    words = ("eval", "-m", codec, "--data", "clean", "--baseline", "opus", "--json", "r.json",
             "--metrics", "bitrate,si-sdr")  # fmt: skip
    done = audiofix(*words, "--html", "r.html", cwd=folders)
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads((folders / "r.json").read_text())
    rows = {(row["name"], row["method"]): row["scores"] for row in document["results"]}
    assert list(rows) == [
        (n, m) for n in ("a", "sub/b", "sub/c") for m in ("sinc", "model", "opus")
    ]
    for name in ("a", "sub/b", "sub/c"):
        assert rows[name, "model"]["bitrate"] == pytest.approx(2.5)  # 4000 / 24 frames of 15 bits
        assert rows[name, "sinc"]["bitrate"] is None
        assert rows[name, "opus"]["bitrate"] > 5
        # Half of white noise is lost at 4 kHz, so the error is as strong as what is left.
        assert rows[name, "sinc"]["si-sdr"] == pytest.approx(0, abs=1)
    page = (folders / "r.html").read_text()
    assert page.count('src="data:audio/flac') == 12
    assert "Bit rate kbit/s" in done.stdout.decode()


def test_the_model_is_the_upsample_verb(audiofix: Run, model: Path, folders: Path) -> None:
    """What is measured is what a user would get from the same input."""
    x, _ = soundfile.read(folders / "clean/a.wav", dtype="float32")
    from audiofix.audio.format import AudioFormat
    from audiofix.evaluation.damage import in_16_bits
    from audiofix.streaming.resample import Resample

    down = Resample(AudioFormat(8000, 1), 4000)
    small = in_16_bits(np.concatenate([down.push(x[None]), down.flush()], axis=1))
    soundfile.write(folders / "small.wav", small.T, 4000, subtype="PCM_16")
    audiofix("upsample", "small.wav", "--to", "8k", "-m", model, "-o", "up.wav", "-b", "32f",
             cwd=folders)  # fmt: skip
    metrics = ("--metrics", "snr,si-sdr,lsd", "--json", "-")
    by_hand = audiofix("eval", "clean/a.wav", "up.wav", *metrics, cwd=folders)
    at_once = audiofix("eval", "-m", model, "--data", "clean", "--include", "a", "--to", "8k",
                       "--input-rates", "4k", *metrics, cwd=folders)  # fmt: skip
    (wanted,) = json.loads(by_hand.stdout)["results"]
    found = json.loads(at_once.stdout)["results"][1]
    for name in ("snr", "si-sdr", "lsd"):
        assert found["scores"][name] == pytest.approx(wanted["scores"][name], rel=1e-5)


def test_a_split_of_a_manifest(audiofix: Run, model: Path, folders: Path) -> None:
    (folders / "m.csv").write_text(
        "split,file_path,duration\ntrain,clean/a.wav,1\nvalidation,clean/sub/b.wav,1\n"
    )
    words = ("eval", "-m", model, "--data", "m.csv", "--to", "8k", "--input-rates", "4k",
             "--metrics", "snr", "--csv", "-")  # fmt: skip
    for split in ((), ("--split", "valid")):
        done = audiofix(*words, *split, cwd=folders)
        rows = list(csv.DictReader(done.stdout.decode().splitlines()))
        assert [(row["name"], row["method"]) for row in rows] == [
            ("clean/sub/b", "sinc"), ("clean/sub/b", "model"),
        ]  # fmt: skip
    done = audiofix(*words, "--split", "test", cwd=folders)
    assert done.returncode == 3 and b"split test" in done.stderr


def test_some_failures_leave_the_others(audiofix: Run, folders: Path) -> None:
    (folders / "made/a.flac").unlink()
    soundfile.write(folders / "made/sub/c.flac", noise(1, 7000).T, 8000)
    done = audiofix("eval", "clean", "made", "--metrics", "snr", "--csv", "-", cwd=folders)
    assert done.returncode == 7
    lines = done.stderr.decode().splitlines()
    assert "clean/a.wav: has no match in made" in lines[0]
    assert "7000 samples" in lines[1] and "8000" in lines[1]
    assert "2 of 3 comparisons failed" in lines[2]
    assert [row["name"] for row in csv.DictReader(done.stdout.decode().splitlines())] == ["sub/b"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, b"nothing to compare"),
        (["clean"], 2, b"nothing to compare"),
        (["clean", "made", "--data", "clean"], 2, b"give one of them"),
        (["clean", "made", "-m", "x"], 2, b"--model without --data"),
        (["clean", "made", "--metrics", "snr,mos"], 2, b"mos: not one of snr"),
        (["clean", "made", "--metrics", "rtf"], 2, b"rtf: needs a model"),
        (["clean", "made", "--metrics", "lsd-hf"], 2, b"--cutoff"),
        (["clean", "made", "--include", "z*"], 3, b"--include"),
        (["clean", "made", "--json", "-", "--csv", "-"], 2, b"standard output"),
        (["clean", "made", "--json", "clean/a.wav"], 6, b"exists"),
        (["clean", "made", "--json", "no/r.json"], 6, b"folder does not exist"),
        (["clean", "made/a.flac"], 2, b"one is a folder"),
        (["clean", "absent"], 3, b"does not exist"),
        (["clean/a.wav", "clean/sub"], 2, b"one is a folder"),
        (["--data", "clean", "--input-rates", "8k,fast"], 2, b"not a rate"),
        (["--data", "clean", "--input-rates", "8k", "--to", "8k"], 2, b"not below"),
        (["--data", "absent.csv"], 3, b"not there"),
        (["--data", "clean", "-m", "no-such-model"], 4, b"no-such-model"),
        (["clean", "made", "--metrics", "bitrate"], 2, b"bitrate: needs a codec"),
        (["--data", "clean", "--baseline", "opus"], 2, b"--baseline opus: is for codecs"),
        (["clean", "made", "--baseline", "opus"], 2, b"--baseline opus: is for codecs"),
    ],
)
def test_what_cannot_be_done(
    arguments: list[str], status: int, words: bytes, audiofix: Run, folders: Path
) -> None:
    done = audiofix("eval", *arguments, cwd=folders)
    assert done.returncode == status
    assert words in done.stderr and done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_a_metric_whose_library_is_absent(environment: Mapping[str, str], folders: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['pystoi'] = None\n"
        "from audiofix.cli.main import main\n"
        "sys.argv = ['audiofix', 'eval', 'clean', 'made', '--metrics', 'stoi']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, cwd=folders
    )
    assert done.returncode == 2
    assert b"metric stoi: not installed: pip install 'audiofix[eval]'" in done.stderr


def test_reports_are_replaced_when_told(audiofix: Run, folders: Path) -> None:
    words = ("eval", "clean/a.wav", "made/a.flac", "--metrics", "snr", "--json", "r.json")
    tries = [audiofix(*words, *more, cwd=folders) for more in ((), (), ("--overwrite",))]
    assert [done.returncode for done in tries] == [0, 6, 0]
    assert not list(folders.glob(".r.json*"))


def test_the_words_of_the_options_are_those_of_the_tables() -> None:
    assert tuple(METRICS) == evaluate.METRICS
    assert tuple(DEFINITIONS) == evaluate._LSD_PRESETS
