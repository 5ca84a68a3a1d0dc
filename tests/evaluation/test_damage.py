import numpy as np
import pytest
import soundfile

from audiofix.audio.lossy import Coding, coded, parse_coding
from audiofix.evaluation.comparison import Measuring
from audiofix.evaluation.damage import Coded, CodedBefore
from audiofix.evaluation.damage_comparison import compare_damaged
from audiofix.evaluation.findings import input_label, means_of
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.resample import Resample

pytest.importorskip("av")
RATE = 44100
METRICS = ("si-sdr", "lsd", "lsd-hf", "lsd-lf", "rtf")
MEASURING = Measuring(METRICS, DEFINITIONS["standard"], None, False)


def sound(channels=2, samples=RATE):
    rng = np.random.default_rng(channels)
    time = np.arange(samples) / RATE
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 330, 3000))
    return (0.1 * tones + 0.02 * rng.standard_normal((channels, samples))).astype(np.float32)


def nothing(damaged):
    """A restorer that does nothing."""
    return Resample(damaged.given, damaged.given.rate)


def scored(path, damage):
    """Return the results of a recording, damaged, and of doing nothing to it."""
    return compare_damaged("x", path, damage, {"model": nothing}, MEASURING).results


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, RATE, subtype="FLOAT")
    return path


def test_doing_nothing_equals_what_the_codec_gave(tmp_path):
    path = write(tmp_path / "x.wav", sound())
    before, after = scored(path, Coded(Coding("mp3", 64)))
    assert (before.method, after.method, after.damage) == ("coded", "model", "mp3:64k")
    for name in ("si-sdr", "lsd", "lsd-hf", "lsd-lf"):
        assert before.scores[name] == after.scores[name]
    # The band above 11 kHz is gone, that below is not.
    assert before.scores["lsd-hf"] > 4 > 3 > before.scores["lsd-lf"]
    assert np.isnan(before.scores["rtf"]) and after.scores["rtf"] > 0


def test_six_channels_are_coded_two_by_two(tmp_path):
    path = write(tmp_path / "x.wav", sound(6, 20000))
    assert scored(path, Coded(Coding("opus", 64)))[0].samples == 20000


def test_a_late_pair_is_brought_in_time(tmp_path):
    x = sound()
    damaged = coded(x, RATE, Coding("mp3", 64))
    late = np.concatenate([np.zeros((2, 1105), np.float32), damaged], axis=1)
    x[:, -1105:] = 0  # which the late recording does not have
    damaged[:, -1105:] = 0
    files = [
        write(tmp_path / f"{name}.wav", one)
        for name, one in {"a": x, "b": damaged, "c": late}.items()
    ]
    scores = [scored(files[0], CodedBefore(one))[0].scores["si-sdr"] for one in files[1:]]
    assert scores[0] == pytest.approx(scores[1], abs=0.1)
    assert scores[0] > 5


def test_means_are_by_coding(tmp_path):
    path = write(tmp_path / "x.wav", sound(1, 20000))
    results = [
        result
        for word in ("mp3:32k", "mp3:128k")
        for result in scored(path, Coded(parse_coding(word)))
    ]
    means = means_of(results, METRICS, 0)
    assert [(mean.damage, mean.method, mean.files) for mean in means] == [
        ("mp3:32k", "coded", 1), ("mp3:32k", "model", 1),
        ("mp3:128k", "coded", 1), ("mp3:128k", "model", 1),
    ]  # fmt: skip
    assert means[0].scores["lsd"].mean > means[2].scores["lsd"].mean
    assert [input_label(8000, ""), input_label(None, "mp3:64k"), input_label(None, "")] == [
        "8000 Hz", "mp3:64k", "–",
    ]  # fmt: skip
