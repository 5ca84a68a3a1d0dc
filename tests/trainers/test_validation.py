import numpy as np
import soundfile
import torch
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.validation import batch_of_one, centre_clip, example


def recording(folder, samples, channels=1):
    ramp = np.arange(samples * channels).reshape(samples, channels) / 65536
    soundfile.write(folder / "x.wav", ramp.astype(np.float32), 8000, subtype="FLOAT")
    return Recording(folder / "x.wav", "validation", samples / 8000)


def test_a_clip_is_the_middle(tmp_path):
    clip, rate = centre_clip(recording(tmp_path, 100), 8000, 20)
    assert rate == 8000 and clip.dtype == np.float32
    assert (clip * 65536).round().tolist() == [list(range(40, 60))]


def test_a_short_recording_is_followed_by_silence(tmp_path):
    clip, _ = centre_clip(recording(tmp_path, 10), 8000, 16)
    assert clip.shape == (1, 16) and not clip[:, 10:].any()
    assert (clip[0, :10] * 65536).round().tolist() == list(range(10))


def test_stereo_gives_its_first_channel(tmp_path):
    stereo = recording(tmp_path, 16, channels=2)
    assert (centre_clip(stereo, 8000, 4)[0] * 65536).round().tolist() == [[12, 14, 16, 18]]


def test_an_example_holds_what_was_in_the_batch(tmp_path):
    clip, _ = centre_clip(recording(tmp_path, 16), 8000, 16)
    found = example("x", 8000, {"input": batch_of_one(clip, torch.device("cpu"))})
    assert (found.name, found.rate) == ("x", 8000)
    assert np.array_equal(found.sounds["input"], clip)
