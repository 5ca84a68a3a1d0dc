import csv
import io
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiofix.audio.pcm import parse_encoding
from audiofix.audio.source import Headerless, headerless_from_environment, open_source
from audiofix.errors import InputError, UsageError

BAD = Path(__file__).parent / "bad"
ROWS = list(csv.DictReader((BAD / "expected.csv").read_text(encoding="utf-8").splitlines()))


def read_all(source, block=997):
    chunks = []
    while (chunk := source.read(block)).shape[1]:
        chunks.append(chunk)
    return np.concatenate(chunks, axis=1) if chunks else np.empty((source.format.channels, 0))


@pytest.mark.parametrize("by_pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_hostile_files(row, by_pipe, piped):
    path = BAD / row["file"]
    if by_pipe:
        piped(path.read_bytes())
    try:
        with open_source("-" if by_pipe else path) as source:
            samples = read_all(source)
            layout = source.format
    except InputError as error:
        assert row["outcome"] in ("error", "either"), error
        assert "\n" not in str(error) and str(error).count(": ") >= 2
        return
    assert row["outcome"] != "error"
    assert np.isfinite(samples).all()
    if row["frames"]:
        assert abs(samples.shape[1] - int(row["frames"])) <= int(row["tolerance"])
        assert (layout.rate, layout.channels) == (int(row["rate"]), int(row["channels"]))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("container", "subtype", "encoding"),
    [
        ("WAV", "PCM_U8", "u8"), ("WAV", "PCM_16", "s16le"), ("WAV", "PCM_24", "s24le"),
        ("WAV", "PCM_32", "s32le"), ("WAV", "FLOAT", "f32le"), ("WAV", "DOUBLE", "f64le"),
        ("WAV", "ULAW", "mulaw"), ("WAV", "ALAW", "alaw"), ("RF64", "PCM_16", "s16le"),
        ("AU", "PCM_16", "s16be"), ("AU", "PCM_24", "s24be"), ("AU", "FLOAT", "f32be"),
        ("WAVEX", "PCM_24", "s24le"),
    ],
)  # fmt: skip
def test_our_reader_agrees_with_libsndfile(tmp_path, piped, container, subtype, encoding, channels):
    path = tmp_path / "x.bin"
    x = np.random.default_rng(0).uniform(-1, 1, (1013, channels))
    soundfile.write(path, x, 22050, subtype, format=container)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    for name in (path, "-"):
        if name == "-":
            piped(path.read_bytes(), 331)
        with open_source(name) as source:
            assert source.encoding == encoding
            assert (source.format.rate, source.format.channels) == (22050, channels)
            assert np.array_equal(read_all(source), expected.T)
            assert source.fault is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_rifx_is_riff_the_other_way_round(tmp_path, order):
    x = np.array([1, -2, 300, -32768], f"{order}i2")
    body = struct.pack(f"{order}4sIHHIIHH", b"fmt ", 16, 1, 2, 8000, 32000, 4, 16)
    body += struct.pack(f"{order}4sI", b"data", x.nbytes) + x.tobytes()
    magic = b"RIFF" if order == "<" else b"RIFX"
    path = tmp_path / "x"
    path.write_bytes(struct.pack(f"{order}4sI4s", magic, len(body) + 4, b"WAVE") + body)
    with open_source(path) as source:
        assert np.array_equal(read_all(source) * 32768, [[1, 300], [-2, -32768]])


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_sizes_that_nobody_knew_mean_until_the_end(piped, size):
    x = np.arange(500, dtype="<i2")
    data = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000,
                       2, 16, b"data", size) + x.tobytes()  # fmt: skip
    piped(data)
    with open_source("-") as source:
        assert source.samples is None
        assert np.array_equal(read_all(source)[0] * 32768, x)
        assert source.fault is None


def test_chunks_behind_the_samples_are_not_samples(tmp_path, piped):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(101), 8000, "PCM_U8")
    data = path.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"junk"
    path.write_bytes(data)
    piped(data)
    for name in (path, "-"):
        with open_source(name) as source:
            assert read_all(source).shape == (1, 101)


def test_content_decides_not_the_name(tmp_path):
    path = tmp_path / "x.mp3"
    soundfile.write(path, np.zeros(100), 8000, format="FLAC")
    with open_source(path) as source:
        assert source.container == "flac" and source.samples == 100


@pytest.mark.parametrize("container", ["FLAC", "OGG", "AIFF", "CAF", "W64"])
def test_other_formats_come_through_pipes(tmp_path, piped, container):
    path = tmp_path / "x"
    soundfile.write(
        path, np.sin(np.arange(4001) / 9)[:, None] * [0.5, 0.2], 16000, format=container
    )
    piped(path.read_bytes())
    with open_source("-") as source:
        assert source.container == {"OGG": "ogg"}.get(container, container.lower())
        y = read_all(source)
    assert y.shape == (2, 4001)
    assert np.abs(y[0] - np.sin(np.arange(4001) / 9) * 0.5).max() < (
        0.05 if container == "OGG" else 1e-4
    )


def test_headerless_samples_need_a_description(piped, monkeypatch):
    x = np.random.default_rng(0).standard_normal(1001).astype("<f4")
    piped(x.tobytes() + b"\0")
    with pytest.raises(InputError, match="-e, -r and -c"):
        open_source("-")
    piped(x.tobytes() + b"\0")
    with open_source("-", headerless=Headerless(parse_encoding("f32le"), 8000, 1)) as source:
        assert np.array_equal(read_all(source)[0], x)
    monkeypatch.setenv("AUDIOFIX_PCM", "f32le:44.1k:1")
    piped(x.tobytes())
    with open_source("-") as source:
        assert source.format.rate == 44100 and read_all(source).shape == (1, 1001)


def test_a_description_must_agree_with_the_header(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(10), 8000, "PCM_16")
    with open_source(path, headerless=Headerless(parse_encoding("s16"), 8000, 1)) as source:
        assert read_all(source).shape == (1, 10)
    with pytest.raises(InputError, match="leave -e, -r and -c out"):
        open_source(path, headerless=Headerless(parse_encoding("s16"), 16000, 1))


@pytest.mark.parametrize("value", ["f32le", "f32le:48k", "what:48k:1", "f32le:x:1", "f32le:inf:1"])
def test_a_wrong_environment_is_a_usage_error(monkeypatch, value):
    monkeypatch.setenv("AUDIOFIX_PCM", value)
    with pytest.raises(UsageError):
        headerless_from_environment()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.wav: No such file"):
        open_source(tmp_path / "nothing.wav")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_to_a_header_ends_in_samples_or_an_input_error(tmp_path_factory, data):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((50, 2)), 8000, "PCM_24", format="WAVEX")
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, 79))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path_factory.getbasetemp() / "fuzz.wav"
    path.write_bytes(bytes(damaged[:cut]))
    try:
        with open_source(path) as source:
            read_all(source, 64)
    except InputError:
        pass


@pytest.mark.parametrize("program", ["sox", "ffmpeg"])
def test_reads_what_others_stream(tmp_path, piped, program):
    from shutil import which

    if not which(program):
        pytest.skip(f"{program} is not installed")
    path = tmp_path / "x.wav"
    soundfile.write(path, np.random.default_rng(0).integers(-9, 9, (999, 2)).astype("i2"), 8000)
    command = {
        "sox": ["sox", str(path), "-t", "wav", "-"],
        "ffmpeg": ["ffmpeg", "-v", "error", "-i", str(path), "-f", "wav", "-"],
    }[program]
    piped(subprocess.run(command, capture_output=True, check=True).stdout)
    with open_source(path) as source, open_source("-") as stream:
        assert np.array_equal(read_all(stream), read_all(source))
