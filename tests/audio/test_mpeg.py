import io

import numpy as np
import pytest
import soundfile

from audiofix.audio.mpeg import states_length


def tagged_frame():
    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(9000) / 9), 44100, format="MP3")
    return file.getvalue()


def id3(size, *, flags=0):
    groups = [size >> shift & 0x7F for shift in (21, 14, 7, 0)]
    # A cover picture may hold any bytes, frame headers and tag names too.
    return (
        b"ID3\x04\x00" + bytes([flags, *groups]) + b"\xff\xfbInfo"[: size or 0].ljust(size, b"\0")
    )


@pytest.mark.parametrize(
    "front", [b"", id3(0), id3(300), id3(200_000), id3(300, flags=0x10) + bytes(10)]
)
def test_a_length_behind_any_id3_tag(front):
    data = tagged_frame()
    assert states_length(io.BytesIO(front + data))
    silent = data.replace(b"Info", b"\0\0\0\0").replace(b"Xing", b"\0\0\0\0")
    assert silent != data
    assert not states_length(io.BytesIO(front + silent))


@pytest.mark.parametrize("data", [b"", b"ID3", b"\xff", bytes(100)])
def test_what_is_no_mp3_states_none(data):
    assert not states_length(io.BytesIO(data))
