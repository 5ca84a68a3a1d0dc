import io
import struct

import numpy as np
import pytest
import soundfile

from audiofix.audio import caf
from audiofix.audio.bytestream import ByteStream
from audiofix.errors import InputError


def header(rate=8000.0, kind=b"lpcm", flags=2, channels=2, bits=16, size=-1):
    layout = struct.pack(">d4sIIIII", rate, kind, flags, channels * bits // 8, 1, channels, bits)
    return (
        b"caff\0\1\0\0" + struct.pack(">4sq", b"desc", 32) + layout
        + struct.pack(">4sq", b"free", 5) + bytes(5)
        + struct.pack(">4sqI", b"data", size, 0)
    )  # fmt: skip


def read(data):
    return caf.read_header(ByteStream(io.BytesIO(data), None))


@pytest.mark.parametrize(
    ("kind", "flags", "bits", "name"),
    [
        (b"lpcm", 0, 16, "s16be"), (b"lpcm", 2, 16, "s16le"), (b"lpcm", 2, 24, "s24le"),
        (b"lpcm", 3, 32, "f32le"), (b"lpcm", 1, 64, "f64be"), (b"alaw", 0, 8, "alaw"),
        (b"ulaw", 0, 8, "mulaw"), (b"lpcm", 2, 20, "s24le"),
    ],
)  # fmt: skip
def test_encodings(kind, flags, bits, name):
    data = header(kind=kind, flags=flags, bits=bits)
    assert caf.is_uncompressed(data)
    assert read(data).encoding.name == name


@pytest.mark.parametrize(("size", "left"), [(-1, None), (0, None), (4, 0), (404, 400)])
def test_sizes(size, left):
    assert read(header(size=size)).data_bytes == left


def test_agrees_with_libsndfile():
    file = io.BytesIO()
    soundfile.write(file, np.zeros((101, 3)), 22050, "PCM_24", format="CAF")
    told = read(file.getvalue())
    assert (told.audio.rate, told.audio.channels, told.data_bytes) == (22050, 3, 909)


@pytest.mark.parametrize(
    "data",
    [
        b"caff", header()[:40], header()[:70], header(bits=40), header(rate=float("nan")),
        header(channels=0), b"caff\0\1\0\0" + struct.pack(">4sqI", b"data", -1, 0),
        b"caff\0\1\0\0" + struct.pack(">4sq", b"junk", -9),
    ],
)  # fmt: skip
def test_damage_is_an_input_error(data):
    with pytest.raises(InputError):
        read(data)


def test_compressed_samples_are_another_readers_work():
    assert not caf.is_uncompressed(header(kind=b"alac"))
