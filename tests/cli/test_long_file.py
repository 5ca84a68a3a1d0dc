"""`-j` on one long file."""

import pytest
import soundfile
from stages import noise


@pytest.mark.slow
def test_a_long_file_is_split_and_joined_to_the_bit(audiofix, tmp_path):
    """At 44.1 kHz out, so that what comes behind the windows has a state of its own."""
    soundfile.write(tmp_path / "x.wav", noise(2, 16000 * 9).T, 16000)
    words = ["upsample", tmp_path / "x.wav", "--to", "44100", "-m", "vmasr-small-48k"]
    words += ["--threads", "1"]
    for name, jobs in (("serial", []), ("split", ["-j", "2"])):
        done = audiofix(*words, *jobs, "-o", tmp_path / f"{name}.wav")
        assert (done.returncode, done.stderr) == (0, b"")
    results = [(tmp_path / f"{name}.wav").read_bytes() for name in ("serial", "split")]
    assert results[0] == results[1] and len(results[0]) > 44100 * 9 * 4
