"""`encode` and `decode` as a user starts them, and the Python face of both."""

import functools
import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli.commands import Run, command_line
from stages import noise
from tiny import tiny_codec_checkpoint

import audiofix as face
from audiofix.codes.reader import CodeReader
from audiofix.codes.sound import CodedSound
from audiofix.codes.writer import CodeWriter
from audiofix.errors import CheckpointError, InputError, UsageError
from audiofix.jobs.job import IOOptions, Job
from audiofix.jobs.options import Computing
from audiofix.verbs.decode import Decode
from audiofix.verbs.encode import Encode

LENGTHS = [
    *(0, 1, 2, 3, 5, 11, 23, 24, 25, 31, 47, 48, 49, 95, 191, 192, 193, 255, 383, 384, 385, 511),
    *(767, 768, 769, 999, 1000, 1535, 1537, 2047, 3071, 4097, 6143, 8191, 9217, 12_289, 24_577),
    *(49_999, 65_537, 100_001),
]


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_codec_checkpoint(tmp_path_factory.mktemp("codec") / "tiny.safetensors")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "x.wav"
    soundfile.write(path, noise(2, 12_345).T * 0.3, 11025, "PCM_16")
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", LENGTHS[::8])
def test_decoding_gives_back_the_exact_length(codec: Path, samples: int, channels: int) -> None:
    rate = 8000 if samples % 2 else 11025
    codes = face.encode(noise(channels, samples), rate, model=str(codec))
    assert codes.codes.shape[::2] == (channels, 3)
    assert face.decode(codes, model=str(codec)).shape == (channels, samples)


loaded_once = functools.cache(Encode.load)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", LENGTHS)
def test_files_and_pipes_give_back_the_exact_length(
    codec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, channels: int
) -> None:
    """The work of both commands in this process, codes once as a file and once through a pipe."""
    rate = 8000 if samples % 2 else 11025
    x, coded, y = (tmp_path / name for name in ("x.wav", "x.afc", "y.wav"))
    soundfile.write(x, noise(channels, samples).T.reshape(-1, channels) * 0.3, rate)
    computing = Computing(str(codec), "cpu", "fp32", True)
    encoding = Encode(None, None, False, False, None, computing)
    decoding = Decode(None, False, 60.0, None, computing)
    io = IOOptions(overwrite=True)
    opened = loaded_once(encoding)
    encoding.run(Job("x", x, coded), lambda: opened, io)
    for source in (coded, Path("-")):
        with coded.open("rb") as file:
            reader = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
            monkeypatch.setattr(sys, "stdin", reader.stdout)
            decoding.run(Job("x", source, y), lambda: lambda layout: opened, io)
            reader.stdout.close()
            reader.wait()
        about = soundfile.info(y)
        assert (about.frames, about.channels, about.samplerate) == (samples, channels, rate)


def test_files_pipes_and_python_agree(
    audiofix: Run, codec: Path, sound: Path, tmp_path: Path
) -> None:
    coded, restored = tmp_path / "x.afc", tmp_path / "y.wav"
    assert audiofix("encode", sound, "-m", codec, "-o", coded).returncode == 0
    done = audiofix("decode", coded, "-m", codec, "-o", restored, "-b", "32f")
    assert (done.returncode, done.stderr) == (0, b"")
    y, rate = soundfile.read(restored, always_2d=True, dtype="float32")
    assert (y.shape, rate) == ((12_345, 2), 11025)

    piped = audiofix("encode", "-m", codec, stdin=sound.read_bytes()).stdout
    alike = [json.loads(audiofix("info", "--json", "-", stdin=codes).stdout)
             for codes in (piped, coded.read_bytes())]  # fmt: skip
    assert alike[0] == alike[1] and len(piped) == coded.stat().st_size
    back = audiofix("decode", "-m", codec, stdin=piped).stdout
    z, _ = soundfile.read(io.BytesIO(back), always_2d=True, dtype="float32")
    assert np.array_equal(z, y)

    x, _ = soundfile.read(sound, always_2d=True, dtype="float32")
    codes = face.encode(x.T, 11025, model=str(codec))
    loaded = CodedSound.load(coded)
    assert np.array_equal(codes.codes, loaded.codes) and codes.samples == loaded.samples
    assert np.array_equal(face.decode(loaded, model=str(codec)), y.T)


def test_encoded_sound_is_heard(codec: Path) -> None:
    """The sound that comes back hangs on what went in, where it went in."""
    x = np.zeros((1, 8000), np.float32)
    x[0, 4000:4400] = noise(1, 400)[0]
    silent = face.decode(face.encode(x * 0, 8000, model=str(codec)), model=str(codec))
    heard = face.decode(face.encode(x, 8000, model=str(codec)), model=str(codec))
    changed = np.flatnonzero(np.abs(heard - silent)[0] > 1e-7)
    assert 4000 - 24 <= changed[0] < 4400


@pytest.mark.parametrize(
    ("options", "books"), [(["--codebooks", "2"], 2), (["--bitrate", "3.4"], 2)]
)
def test_fewer_codebooks(
    audiofix: Run, codec: Path, sound: Path, tmp_path: Path, options: list[str], books: int
) -> None:
    path = tmp_path / "x.afc"
    assert audiofix("encode", sound, "-m", codec, *options, "-o", path).returncode == 0
    x, _ = soundfile.read(sound, always_2d=True, dtype="float32")
    expected = face.encode(x.T, 11025, model=str(codec)).codes[:, :, :books]
    assert np.array_equal(CodedSound.load(path).codes, expected)
    told = json.loads(audiofix("info", "--json", path).stdout)
    assert (told["codebooks"], told["samples"], told["channels"]) == (books, 12_345, 2)
    done = audiofix("decode", path, "-m", codec, "-t", "f32le")
    assert len(done.stdout) == 12_345 * 2 * 4


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["encode", "x.wav", "--codebooks", "4", "-m", "tiny"], 2, "tiny has 3: use fewer"),
        (["encode", "x.wav", "--bitrate", "1", "-m", "tiny"], 2, "needs at least"),
        (["encode", "x.wav", "--bitrate", "9", "--codebooks", "1"], 2, "give one of them"),
        (["encode", "x.wav", "-t", "wav", "-m", "tiny"], 2, "leave them out"),
        (["encode", "x.wav", "--denoise", "-m", "tiny"], 2, "--denoise"),
        (["decode", "x.wav", "-m", "tiny"], 3, "not audiofix codes"),
        (["decode", "x.afc", "-m", "other"], 4, "name the right model"),
        (["decode", "x.afc", "-m", "tiny", "--vocoder"], 2, "has none"),
        (["decode", "x.afc", "-m", "tiny", "-r", "8k"], 2, "leave them out"),
    ],
)
def test_what_is_refused(
    audiofix: Run,
    codec: Path,
    sound: Path,
    tmp_path: Path,
    words: list[str],
    status: int,
    message: str,
) -> None:
    other = tiny_codec_checkpoint(tmp_path / "other.safetensors", seed=1)
    x, rate = soundfile.read(sound, always_2d=True, dtype="float32")
    coded = tmp_path / "x.afc"
    face.encode(x.T, rate, model=str(codec)).save(coded)
    named = {"x.wav": sound, "x.afc": coded, "tiny": codec, "other": other}
    output = tmp_path / "out"
    done = audiofix(*(named.get(word, word) for word in words), "-o", output)
    text = done.stderr.decode()
    assert (done.returncode, text.count("\n")) == (status, 1), text
    assert message in text
    assert not list(tmp_path.glob("out*"))


def test_damage_is_silence_in_its_place_and_status_3(
    audiofix: Run, codec: Path, tmp_path: Path
) -> None:
    """Three packets of 128 frames; the middle one is hit."""
    samples = 24 * 384
    codes = face.encode(noise(1, samples), 8000, model=str(codec))
    codes.save(tmp_path / "x.afc")
    whole = face.decode(codes, model=str(codec))
    data = bytearray((tmp_path / "x.afc").read_bytes())
    packets = [found.start() for found in re.finditer(b"AFC1", data)]
    data[packets[3] + 100] ^= 255  # behind two headers and the first packet of codes
    done = audiofix("decode", "-m", codec, "-t", "f32le", stdin=bytes(data))
    assert done.returncode == 3 and b"128 frames" in done.stderr
    y = np.frombuffer(done.stdout, "<f4")
    assert y.shape == (samples,)
    first, last = 128 * 24, 256 * 24
    assert np.array_equal(y[:first], whole[0, :first])
    assert not y[first:last].any() and y[last:].any()


def test_a_cut_stream_gives_what_arrived(audiofix: Run, codec: Path, tmp_path: Path) -> None:
    codes = face.encode(noise(1, 24 * 384), 8000, model=str(codec))
    codes.save(tmp_path / "x.afc")
    data = (tmp_path / "x.afc").read_bytes()
    done = audiofix("decode", "-m", codec, "-t", "f32le", stdin=data[: len(data) * 3 // 4])
    assert done.returncode == 3
    whole = face.decode(codes, model=str(codec))[0]
    y = np.frombuffer(done.stdout, "<f4")
    assert y.size == 256 * 24 and np.array_equal(y, whole[: y.size])


def test_folders_both_ways(audiofix: Run, codec: Path, tmp_path: Path) -> None:
    for name, samples in (("a", 1000), ("b/c", 2001)):
        path = tmp_path / "in" / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(1, samples).T * 0.3, 8000)
    coded, back = tmp_path / "coded", tmp_path / "back"
    assert audiofix("encode", tmp_path / "in", "-o", coded, "-m", codec).returncode == 0
    assert sorted(p.relative_to(coded) for p in coded.rglob("*.*")) == [
        Path("a.afc"),
        Path("b/c.afc"),
    ]
    assert audiofix("decode", coded, "-o", back, "-m", codec, "-t", "flac").returncode == 0
    assert soundfile.info(back / "a.flac").frames == 1000
    assert soundfile.info(back / "b/c.flac").frames == 2001


def test_realtime_sends_frames_while_they_come(environment: Mapping[str, str], codec: Path) -> None:
    """Half a second goes in; its codes come out before the rest does."""
    command = command_line(
        ["encode", "--realtime", "-m", codec, "-e", "f32le", "-r", "8000", "-c", "1"]
    )
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        process.stdin.write(noise(1, 4000).astype("<f4").tobytes())
        process.stdin.flush()
        reader = CodeReader(process.stdout)
        parts = iter(reader)
        early = sum(next(parts).frames for _ in range(30))
        process.stdin.write(noise(1, 4000).astype("<f4").tobytes())
        process.stdin.close()
        assert early + sum(part.frames for part in parts) == -(-8000 // 24)
        assert reader.samples == 8000 and early >= 120
        assert b"algorithmic delay 12.00 ms, computing a frame" in process.stderr.read()


def test_realtime_sends_sound_while_codes_come(environment: Mapping[str, str], codec: Path) -> None:
    """Of 12 packets, all sound but the last frame and 4 samples is out before the stream ends."""
    data = io.BytesIO()
    codes = face.encode(noise(1, 48 * 24), 8000, model=str(codec))
    writer = CodeWriter(data, codes.layout, packet_frames=4)
    writer.write(codes.codes)
    writer.flush()
    with subprocess.Popen(
        command_line(["decode", "--realtime", "-m", codec, "-t", "f32le"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        process.stdin.write(data.getvalue())
        process.stdin.flush()
        early = process.stdout.read((47 * 24 - 4) * 4)
        data.seek(0)
        data.truncate()
        writer.finish(48 * 24)
        process.stdin.write(data.getvalue())
        process.stdin.close()
        late, errors = process.stdout.read(), process.stderr.read()
    y = np.frombuffer(early + late, "<f4")
    assert y.shape == (48 * 24,)
    assert np.abs(y - face.decode(codes, model=str(codec))[0]).max() < 1e-5
    assert b"algorithmic delay 3.50 ms" in errors


def test_realtime_tells_what_another_rate_costs(audiofix: Run, codec: Path) -> None:
    """soxr holds sound back; a longer block than one frame must not come on top of that."""
    sound = noise(1, 16000).astype("<f4").tobytes()
    raw = ["-e", "f32le", "-r", "16000", "-c", "1"]
    done = audiofix("encode", "--realtime", "-m", codec, *raw, stdin=sound)
    delay_ms = float(done.stderr.split(b"delay ")[1].split()[0])
    assert 12 < delay_ms < 200
    back = audiofix("decode", "--realtime", "-m", codec, "-t", "f32le", stdin=done.stdout)
    assert len(back.stdout) == 16000 * 4
    assert 3.5 < float(back.stderr.split(b"delay ")[1].split()[0]) < 200


def test_recordings_that_begin_alike_are_told_apart(
    audiofix: Run, codec: Path, tmp_path: Path
) -> None:
    """One packet of the second put into the first one's place is damage, not sound."""
    streams = []
    for number, words in ((0, ()), (1, ()), (0, ()), (0, ("--seed", "1"))):
        x = np.concatenate([np.zeros(8000), noise(1, 8000, seed=number)[0]])
        soundfile.write(tmp_path / "x.wav", x, 8000)
        done = audiofix("encode", "x.wav", "-m", codec, *words, cwd=tmp_path)
        streams.append(done.stdout)
    first, second, again, seeded = (data.split(b"AFC1") for data in streams)
    assert first == again
    for other in (second, seeded):
        spliced = b"AFC1".join([*first[:3], other[3], *first[4:]])
        done = audiofix("info", "--json", stdin=spliced)
        assert done.returncode == 3 and json.loads(done.stdout)["damages"] == 1


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", "16"), ("PCM_24", "24"), ("FLOAT", "")])
def test_a_decoded_file_has_the_sample_format_of_the_encoded_one(
    audiofix: Run, codec: Path, tmp_path: Path, subtype: str, bits: str
) -> None:
    soundfile.write(tmp_path / "x.wav", noise(1, 999).T * 0.3, 8000, subtype)
    audiofix("encode", "x.wav", "-m", codec, "-o", "x.afc", cwd=tmp_path)
    for name in ("y.wav", "y.flac"):
        assert audiofix("decode", "x.afc", "-m", codec, "-o", name, cwd=tmp_path).returncode == 0
    assert soundfile.info(tmp_path / "y.wav").subtype == subtype
    assert soundfile.info(tmp_path / "y.flac").subtype == f"PCM_{bits or 24}"


def test_tags_travel(audiofix: Run, codec: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", noise(1, 999).T * 0.3, 8000)
    import mutagen

    tagged = mutagen.File(tmp_path / "x.flac")
    tagged["title"] = "Lied"
    tagged.save()
    audiofix("encode", tmp_path / "x.flac", "-m", codec, "-o", tmp_path / "x.afc")
    audiofix("decode", tmp_path / "x.afc", "-m", codec, "-o", tmp_path / "y.flac")
    assert mutagen.File(tmp_path / "y.flac")["title"] == ["Lied"]


def test_a_stage_goes_there_and_back(codec: Path) -> None:
    stage = face.open_stage("codec_roundtrip", rate=11025, channels=2, model=str(codec))
    x = noise(2, 5001)
    parts = [stage.push(x[:, :17]), stage.push(x[:, 17:4000]), stage.push(x[:, 4000:])]
    y = np.concatenate([*parts, stage.flush()], axis=1)
    assert y.shape == x.shape == (2, stage.output_length(5001))


def test_python_refuses_what_makes_no_sense(codec: Path, tmp_path: Path) -> None:
    other = tiny_codec_checkpoint(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(UsageError, match="^rate=0"):
        face.encode(noise(1, 100), 0, model=str(codec))
    with pytest.raises(UsageError, match="^codebooks=9.* to 3"):
        face.encode(noise(1, 100), 8000, codebooks=9, model=str(codec))
    with pytest.raises(InputError, match="NaN"):
        face.encode(np.full((1, 10), np.nan), 8000, model=str(codec))
    codes = face.encode(noise(1, 100), 8000, model=str(codec))
    with pytest.raises(CheckpointError, match="name the right model"):
        face.decode(codes, model=str(other))


def test_the_codec_that_ships_is_intelligible(audiofix: Run, tmp_path: Path) -> None:
    """No model named, no network: real speech of a speaker that it was not trained on."""
    stoi = pytest.importorskip("pystoi").stoi
    speech = Path(__file__).parents[1] / "demo" / "speech16k.flac"
    assert audiofix("encode", speech, "-o", tmp_path / "x.afc").returncode == 0
    assert audiofix("decode", tmp_path / "x.afc", "-o", tmp_path / "y.wav").returncode == 0
    x, rate = soundfile.read(speech)
    y, _ = soundfile.read(tmp_path / "y.wav")
    assert x.shape == y.shape
    assert stoi(x, y, rate) > 0.75
    assert (tmp_path / "x.afc").stat().st_size * 8 / (len(x) / rate) < 7500
