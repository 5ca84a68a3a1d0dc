import os

import numpy as np
import soundfile
from corpus import tones

from audiofix.audio.silenced import Silenced
from audiofix.audio.source import open_source


def test_what_is_printed_is_told_once(capfd, caplog):
    silenced = Silenced("x.mp3")
    for _ in range(3):
        with silenced.calling():
            os.write(2, b"[src/x.c:1] error: bad\n")
    os.write(2, b"not caught\n")
    silenced.close()
    assert capfd.readouterr().err == "not caught\n"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == "x.mp3: damaged in 3 places or more: [src/x.c:1] error: bad"


def test_calls_that_overlap_give_standard_error_back(capfd):
    """As those of two threads do: the first one's end is not the last one's."""
    files = Silenced("x.mp3"), Silenced("y.mp3")
    first, second = (silenced.calling() for silenced in files)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(2, b"caught\n")
    second.__exit__(None, None, None)
    os.write(2, b"not caught\n")
    for silenced in files:
        silenced.close()
    assert capfd.readouterr().err == "not caught\n"


def test_a_damaged_mp3_prints_nothing(tmp_path, capfd, caplog):
    path = tmp_path / "x.mp3"
    soundfile.write(path, tones(1, 44_100), 44100, format="MP3")
    data = bytearray(path.read_bytes())
    data[3000:3400] = np.random.default_rng(0).integers(0, 256, 400, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    with open_source(path) as source:
        while source.read(4096).shape[1]:
            pass
    assert capfd.readouterr().err == ""
    assert len(caplog.records) <= 1
