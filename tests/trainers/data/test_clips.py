import numpy as np
import soundfile
from stages import noise

from audiofix.trainers.data.clips import Clips, read_mono
from audiofix.trainers.data.manifest import Recording


def test_clips_are_pieces_of_the_recordings_and_repeat_with_the_seed():
    ramp = np.arange(5000, dtype=np.float32)[None]
    clips = Clips([ramp, np.zeros((2, 10), np.float32)], 400, [1.0])
    draws = [clips.draw(np.random.default_rng(seed)) for seed in range(20)]
    for clip in draws:
        assert clip.shape == (1, 400)
        steps = np.diff(clip[0])
        assert np.allclose(steps, steps[0], rtol=1e-3)  # one gain for the whole clip
    assert np.array_equal(clips.draw(np.random.default_rng(3)), draws[3])
    assert not np.array_equal(draws[3], draws[4])


def test_speed_shifts_the_pitch():
    tone = np.sin(2 * np.pi * 0.01 * np.arange(50_000))[None].astype(np.float32)
    clip = Clips([tone], 8192, [0.5]).draw(np.random.default_rng(0))[0]
    peak = np.abs(np.fft.rfft(clip * np.hanning(8192))).argmax() / 8192
    assert abs(peak - 0.005) < 2e-4


def test_recordings_are_read_at_the_wanted_rate(tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(2, 8000).T, 8000, "FLOAT")
    assert read_mono(Recording(tmp_path / "x.wav", "train", 1.0), 48000).shape == (2, 48000)
