import numpy as np
import pytest
import soundfile

from audiofix.audio.lossy import encoded, parse_coding
from audiofix.audio.pairs import found_pairs
from audiofix.errors import InputError

RATE = 44100


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, RATE)


def test_pairs_of_both_layouts(tmp_path):
    pytest.importorskip("av")
    x = np.zeros((1, 3000), np.float32)
    write(tmp_path / "a" / "original" / "one.wav", x)
    (tmp_path / "a" / "codec").mkdir()
    (tmp_path / "a" / "codec" / "one.mp3").write_bytes(encoded(x, RATE, parse_coding("mp3:64k")))
    write(tmp_path / "b" / "24khz" / "s1" / "ori_wav.wav", x)
    write(tmp_path / "b" / "24khz" / "s1" / "codec_wav.wav", x)
    write(tmp_path / "b" / "24khz" / "s1" / "ests_wav.wav", x)
    ((name, (original, damaged)),) = found_pairs(tmp_path / "a").items()
    assert (name, original.name, damaged.name) == ("one", "one.wav", "one.mp3")
    assert found_pairs(tmp_path / "b").keys() == {"24khz/s1"}
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="no pairs"):
        found_pairs(tmp_path / "c")
