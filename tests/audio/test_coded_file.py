import numpy as np
import pytest
import soundfile

from audiofix.audio.coded_file import coded_file
from audiofix.audio.lossy import encoded, parse_coding

X = (0.1 * np.random.default_rng(0).standard_normal((2, 30000))).astype(np.float32)


@pytest.mark.parametrize(
    ("word", "container", "kbps", "mode", "encoder"),
    [
        ("mp3:64k", "mp3", (63, 65), "constant", "Lav"),
        ("mp3:v5", "mp3", (90, 260), "variable", "Lav"),
        ("aac:64k", "mp4", (50, 80), "", "Lavf"),
        ("opus:48k", "ogg", (40, 90), "", "Lavf"),
        ("vorbis:96k", "ogg", (90, 100), "", "libVorbis"),
    ],
)
def test_bit_rate_and_encoder(word, container, kbps, mode, encoder, tmp_path):
    pytest.importorskip("av")
    path = tmp_path / "x"
    path.write_bytes(encoded(X, 44100, parse_coding(word)))
    found = coded_file(path, container)
    assert kbps[0] <= found.kbps <= kbps[1]
    assert found.mode == mode
    assert encoder in found.encoder


def test_other_files(tmp_path):
    soundfile.write(tmp_path / "x.wav", X.T, 44100)
    assert coded_file(tmp_path / "x.wav", "wav") is None
    (tmp_path / "x.mp3").write_bytes(b"ID3 no such thing")
    assert coded_file(tmp_path / "x.mp3", "mp3") is None
