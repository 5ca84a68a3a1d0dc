"""What is refused before torch is loaded, and what is expected to be loaded."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiofix.backends.chosen import expected
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.checkpoints.catalogue import entries
from audiofix.errors import CheckpointError, UnknownModel
from audiofix.jobs.options import Computing


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("encode x.wav --codebooks 40 -o x.afc", 2, "audiodec-small-16k has 8: use fewer"),
        ("upsample x.wav --to 48k -m nonesuch -o y.wav", 4, "model nonesuch: unknown"),
        ("upsample x.wav --to 48k -m apollo-small-44k -o y.wav", 4, "cannot upsample"),
        ("upsample x.wav --to 48k -b 32f -o y.flac", 2, "flac holds 16, 24"),
        ("inpaint x.wav --gaps none.csv -o y.wav", 3, "none.csv: not there"),
        ("inpaint x.wav --gaps 3-2 -o y.wav", 2, "ends before it begins"),
        ("eval --data none -m envelope-48k", 3, "none: not there"),
        pytest.param(
            *("upsample x.wav --to 48k --device cuda -o y.wav", 5, "no NVIDIA driver"),
            marks=pytest.mark.skipif(
                sys.platform != "linux" or Path("/dev/nvidia0").exists(), reason="has a driver"
            ),
        ),
    ],
)
def test_what_needs_no_model_is_refused_before_torch_is_there(
    words: str, status: int, message: str, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(800), 8000)
    script = (
        "import sys\n"
        "from audiofix.cli.main import main\n"
        f"sys.argv = ['audiofix', *{words.split()!r}]\n"
        "try:\n    main()\n"
        "finally:\n    print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (status, "False\n")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_expected_model_is_the_one_that_is_loaded() -> None:
    codec = expected("encode", Computing())
    assert codec is not None
    assert load("encode", None, place("cpu")).name == codec.name
    assert expected("inpaint", Computing()) is None  # computed: has no checkpoint
    assert expected("upsample", Computing(model="mine.safetensors")) is None
    with pytest.raises(UnknownModel, match="did you mean envelope-48k"):
        expected("upsample", Computing(model="envelop-48k"))
    with pytest.raises(CheckpointError, match="a envelope checkpoint cannot encode"):
        expected("encode", Computing(model="envelope-48k"))


def test_the_catalogue_knows_the_codebooks_of_codecs() -> None:
    codec = load("encode", "audiodec-small-16k", place("cpu"))
    assert entries()["audiodec-small-16k"].codebooks == codec.layout.codebooks
    assert [n for n, e in entries().items() if "encode" in e.verbs and not e.codebooks] == []
