"""Files whose length nobody wrote down, and those whose index comes last: no sample is lost."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from corpus import tones

from audiofix.audio.source import open_source
from audiofix.errors import InputError

SAMPLES = 100_003
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg makes these files")


@pytest.fixture
def noise(tmp_path):
    """A file of two channels, quiet at first, so that a bit rate guessed there is wrong."""
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (SAMPLES, 2))
    x[: SAMPLES // 4] *= 1e-4
    soundfile.write(tmp_path / "x.wav", x, 44100, "PCM_24")
    return tmp_path / "x.wav"


def converted(source, name, *options):
    path = source.parent / name
    command = ["ffmpeg", "-v", "error", "-i", str(source), *options]
    if name.startswith("streamed"):
        path.write_bytes(subprocess.run([*command, "-"], capture_output=True, check=True).stdout)
    else:
        subprocess.run([*command, str(path)], check=True)
    return path


def samples_of(path):
    with open_source(path) as source:
        total = 0
        while count := source.read(4099).shape[1]:
            total += count
        assert source.fault is None
    return total


@needs_ffmpeg
@pytest.mark.parametrize("by_pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize(
    ("name", "options", "padding"),
    [
        ("x.mp3", ("-q:a", "4"), 0),
        ("untagged.mp3", ("-q:a", "4", "-write_xing", "0"), 3 * 1152),
        ("constant.mp3", ("-b:a", "128k", "-write_xing", "0"), 3 * 1152),
        ("x.m4a", (), 0),
        ("fragmented.m4a", ("-movflags", "frag_keyframe+empty_moov"), 2048),
        ("x.aac", (), 3 * 1024),
        ("streamed.flac", ("-f", "flac"), 0),
        ("streamed.caf", ("-f", "caf"), 0),
        ("streamed.ogg", ("-c:a", "libvorbis", "-f", "ogg"), 0),
        ("streamed.aiff", ("-f", "aiff"), 0),
        ("streamed.w64", ("-f", "w64"), 0),
        ("streamed.au", ("-f", "au"), 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_sample_arrives(noise, piped, by_pipe, name, options, padding):
    path = converted(noise, name, *options)
    if by_pipe:
        piped(path.read_bytes())
    assert SAMPLES <= samples_of("-" if by_pipe else path) <= SAMPLES + padding


@needs_ffmpeg
@pytest.mark.parametrize("name", ["x.m4a", "a:b 'c'.m4a", "x.wma", "x.aac"])
def test_without_pyav_ffmpeg_streams_the_same(noise, monkeypatch, name):
    path = converted(noise, name)
    found = []
    for has_pyav in (True, False):
        if not has_pyav:
            monkeypatch.setattr("audiofix.audio.foreign.find_spec", lambda _: None)
        with open_source(path) as source:
            parts = []
            while (part := source.read(4099)).shape[1]:
                parts.append(part)
            assert source.fault is None
        found.append(np.concatenate(parts, axis=1))
    expected, y = found
    assert abs(y.shape[1] - expected.shape[1]) <= (0 if name.endswith("m4a") else 2048)
    samples = min(y.shape[1], expected.shape[1])
    assert np.abs(y[:, :samples] - expected[:, :samples]).max() < 1e-4


@needs_ffmpeg
@pytest.mark.parametrize("name", ["x.m4a", "x.aac", "x.flac"])
def test_without_pyav_ffmpeg_decodes_pipes_too(noise, monkeypatch, piped, name):
    path = converted(noise, name)
    monkeypatch.setattr("audiofix.audio.foreign.find_spec", lambda _: None)
    expected = samples_of(path)
    piped(path.read_bytes())
    assert samples_of("-") == expected


@needs_ffmpeg
@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["pyav", "ffmpeg"])
def test_memory_of_decoding_does_not_grow_with_length(tmp_path, decoder):
    """Silence takes few bytes coded: ten minutes of it once took 900 MB."""
    peaks = {}
    for seconds in (20, 600):
        path = tmp_path / f"{seconds}.m4a"
        source = ["-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", str(seconds)]
        subprocess.run(["ffmpeg", "-v", "error", *source, "-c:a", "aac", path], check=True)
        program = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from audiofix.audio.foreign import ForeignReader\n"
            "reader = ForeignReader(sys.argv[1], Path(sys.argv[2]))\n"
            "samples = 0\n"
            "while count := reader.read(1 << 16).shape[1]:\n"
            "    samples += count\n"
            "print(samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        words = [sys.executable, "-c", program, decoder, path]
        told = subprocess.run(words, capture_output=True, check=True).stdout.split()
        assert int(told[0]) == seconds * 44100
        peaks[seconds] = int(told[1])
    assert peaks[600] < 1.1 * peaks[20]


@needs_ffmpeg
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_what_ffmpeg_cannot_decode_is_one_error(noise, monkeypatch, share):
    monkeypatch.setattr("audiofix.audio.foreign.find_spec", lambda _: None)
    path = converted(noise, "x.m4a")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="cannot be decoded by ffmpeg"):
        open_source(path)


@pytest.mark.parametrize("by_pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", "16"), ("PCM_24", "24")])
def test_flac_keeps_its_bits(tmp_path, piped, by_pipe, subtype, bits):
    path = tmp_path / "x.flac"
    x = np.random.default_rng(0).integers(-(2**15), 2**15, (999, 1)) / 2**15
    soundfile.write(path, x, 8000, subtype)
    if by_pipe:
        piped(path.read_bytes())
    with open_source("-" if by_pipe else path) as source:
        assert source.bits == bits
        assert np.array_equal(source.read(2000)[0], x[:, 0])


@pytest.mark.parametrize("block", [1, 4096, 16384, 65536])
def test_all_that_comes_before_the_damage_of_a_flac_is_read(tmp_path, block):
    sound = np.round(tones(3, 48000) * 20000).astype(np.int16)
    soundfile.write(tmp_path / "whole.flac", sound, 16000)
    data = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    parts = []
    with open_source(tmp_path / "cut.flac") as source:
        while (part := source.read(block)).shape[1]:
            parts.append(part)
        assert "damaged" in str(source.fault)
    found = np.concatenate(parts, axis=1)[0]
    # libsndfile writes FLAC in blocks of 4096; a decoder knows whole ones.
    assert found.size > 16384 and found.size % 4096 == 0
    assert np.array_equal(found, sound[: found.size] / np.float32(32768))
