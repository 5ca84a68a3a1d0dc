"""Files beside their references, and beside what they were made of."""

import numpy as np
import pytest
import soundfile
from stages import feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError
from audiofix.evaluation.comparison import Measuring
from audiofix.evaluation.file_comparison import compare_files
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.resample import Resample

MEASURING = Measuring(("snr", "lsd-hf"), DEFINITIONS["standard"], None, True)


def written(path, samples, rate):
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("samples", [1, 30_000, 30_001, 30_002])
def test_the_input_is_resampled_and_measured_beside_the_estimate(tmp_path, samples):
    x = noise(2, samples)
    small = feed(Resample(AudioFormat(24000, 2), 8000), x, [samples])
    back = feed(Resample(AudioFormat(8000, 2), 24000), small, [small.shape[1]])
    back = np.pad(back, ((0, 0), (0, 1)))[:, :samples]
    files = [
        written(tmp_path / f"{name}.wav", sound, rate)
        for name, sound, rate in (("x", x, 24000), ("back", back, 24000), ("small", small, 8000))
    ]
    given, estimate = (found := compare_files("a", *files[:2], MEASURING, files[2])).results
    assert (given.method, estimate.method, given.input_rate) == ("input", "estimate", 8000)
    assert given.scores == pytest.approx(estimate.scores, abs=1e-3, nan_ok=True)
    assert list(found.excerpt.sounds) == ["reference", "input", "estimate"]
    if samples > 1:
        assert given.scores["lsd-hf"] > 3  # the edge is half the input's rate


@pytest.mark.parametrize(("samples", "channels"), [(9_000, 1), (11_000, 1), (10_000, 2)])
def test_an_input_of_something_else_is_refused(tmp_path, samples, channels):
    whole = written(tmp_path / "x.wav", noise(1, 30_000), 24000)
    other = written(tmp_path / "small.wav", noise(channels, samples), 8000)
    with pytest.raises(InputError, match="small.wav"):
        compare_files("a", whole, whole, MEASURING, other)
