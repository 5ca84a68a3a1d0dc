import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.clips import Clips, read_sound
from audiofix.trainers.data.manifest import Recording
from stages import noise

from audiofix.errors import InputError


def written(path, samples, rate=8000):
    soundfile.write(path, samples.T, rate, "FLOAT")
    return Recording(path, "train", samples.shape[1] / rate)


def test_clips_are_pieces_of_the_recordings_and_repeat_with_the_seed(tmp_path):
    ramp = np.arange(5000, dtype=np.float32)[None] / 5000
    clips = Clips([written(tmp_path / "ramp.wav", ramp)], 8000, 400, [1.0])
    draws = [clips.draw(np.random.default_rng(seed)).samples for seed in range(20)]
    for clip in draws:
        assert clip.shape == (1, 400) and clip.dtype == np.float32
        steps = np.diff(clip[0])
        assert np.allclose(steps, steps[0], rtol=1e-2)  # one gain for the whole clip
        assert 10 ** (-12 / 20) <= steps[0] * 5000 <= 10 ** (6 / 20) + 1e-3
    assert np.array_equal(clips.draw(np.random.default_rng(3)).samples, draws[3])
    assert not np.array_equal(draws[3], draws[4])


def test_speed_shifts_the_pitch(tmp_path):
    tone = np.sin(2 * np.pi * 0.01 * np.arange(50_000))[None].astype(np.float32)
    clips = Clips([written(tmp_path / "tone.wav", tone)], 8000, 8192, [0.5])
    clip = clips.draw(np.random.default_rng(0)).samples[0]
    peak = np.abs(np.fft.rfft(clip * np.hanning(8192))).argmax() / 8192
    assert abs(peak - 0.005) < 2e-4


@pytest.mark.parametrize("samples", [0, 1, 100, 399])
@pytest.mark.parametrize("speed", [1.0, 0.8])
def test_a_short_recording_is_followed_by_silence(tmp_path, samples, speed):
    written(tmp_path / "short.wav", np.ones((2, samples), np.float32))
    recording = Recording(tmp_path / "short.wav", "train", 1.0)  # as a wrong manifest says
    clip = Clips([recording], 8000, 1000, [speed]).draw(np.random.default_rng(0)).samples
    assert clip.shape == (1, 1000)
    assert (clip[0, 0] > 0.1) == (samples > 0) and not clip[0, 600:].any()


@pytest.mark.parametrize(
    ("own_rate", "speed", "known"),
    [
        (48000, 1.0, 1.0),
        (48000, 0.5, 0.5),
        (44100, 1.0, 1.0),
        (44100, 0.8, 0.735),
        (24000, 1.0, 0.5),
        (24000, 1.1, 0.55),
    ],
)
def test_a_clip_says_how_much_of_the_band_it_knows(tmp_path, own_rate, speed, known):
    recording = written(tmp_path / "x.wav", noise(1, own_rate // 4), own_rate)
    clip = Clips([recording], 48000, 8192, [speed]).draw(np.random.default_rng(0))
    assert clip.known == pytest.approx(known)
    power = np.abs(np.fft.rfft(clip.samples[0] * np.hanning(8192))) ** 2
    end = int(known * power.size)
    assert known == 1 or power[end + 100 :].max(initial=0) < 1e-4 * power[:end].mean()
    assert power[int(0.8 * end) : int(0.9 * end)].mean() > 0.1 * power[:end].mean()


@pytest.mark.parametrize("durations", [[0.0], [2.0, -1.0], [1.0, float("nan")]])
def test_recordings_without_length_are_refused(tmp_path, durations):
    found = [Recording(tmp_path / "x.wav", "train", duration) for duration in durations]
    with pytest.raises(InputError, match="recordings of no length"):
        Clips(found, 8000, 100, [1.0])


def test_a_recording_is_read_at_the_wanted_rate_from_its_start(tmp_path):
    x = noise(2, 8000)
    whole = written(tmp_path / "x.wav", x)
    assert read_sound(whole, 48000).shape == (2, 48000)
    part = Recording(whole.path, "train", 0.25, start=0.5)
    assert np.array_equal(read_sound(part, 8000)[:, :2000], x[:, 4000:6000])
    assert read_sound(part, 8000).shape[1] <= 2001


def test_an_unreadable_recording_is_the_inputs_fault(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"no sound")
    clips = Clips([Recording(tmp_path / "x.wav", "train", 1.0)], 8000, 100, [1.0])
    with pytest.raises(InputError, match=r"x\.wav"):
        clips.draw(np.random.default_rng(0))
