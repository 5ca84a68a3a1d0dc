import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.errors import InputError, UsageError
from audiofix.jobs.job import IOOptions, Job
from audiofix.jobs.options import Computing
from audiofix.verbs.inpaint import Inpaint

RATE = 8000
SPANS = "0.5-0.6,1.2-1.203"


def effect_of(gaps):
    return Inpaint(gaps, None, "fast", 0, Computing(device="cpu"))


def inpainted(source, output, gaps=SPANS):
    effect = effect_of(gaps)
    effect.run(Job(source.name, source, output), effect.load, IOOptions())


@pytest.mark.parametrize(
    ("name", "subtype", "dtype", "channels"),
    [
        ("x.wav", "PCM_16", "int16", 1),
        ("x.wav", "PCM_24", "int32", 2),
        ("x.wav", "PCM_32", "int32", 6),
        ("x.wav", "FLOAT", "float32", 1),
        ("x.wav", "DOUBLE", "float64", 2),
        ("x.flac", "PCM_24", "int32", 2),
        ("x.aiff", "PCM_16", "int16", 1),
    ],
)
def test_samples_outside_stay_to_the_bit(tmp_path, name, subtype, dtype, channels):
    x = 0.3 * noise(channels, 12001).T.astype(np.float64) * (1 + 2.0**-40)
    before_path, after_path = tmp_path / name, tmp_path / f"y_{name}"
    soundfile.write(before_path, x, RATE, subtype)
    inpainted(before_path, after_path)
    before, _ = soundfile.read(before_path, dtype=dtype, always_2d=True)
    after, rate = soundfile.read(after_path, dtype=dtype, always_2d=True)
    assert rate == RATE and soundfile.info(after_path).subtype == subtype
    kept = np.ones(12001, bool)
    kept[4000:4800] = kept[9600:9624] = False
    assert np.array_equal(before[kept], after[kept])
    assert (before[~kept] != after[~kept]).mean() > 0.9


@pytest.mark.parametrize("samples", [1, 2, 3, 31, 799, 800, 801, 4000, 4001, 7919])
def test_odd_lengths_with_gaps_at_both_ends(tmp_path, samples):
    x = noise(2, samples)
    soundfile.write(tmp_path / "x.wav", x.T, RATE, "FLOAT")
    inpainted(tmp_path / "x.wav", tmp_path / "y.wav", f"0-0.1,{samples / RATE - 0.00001}-9")
    y, _ = soundfile.read(tmp_path / "y.wav", dtype="float32", always_2d=True)
    assert y.shape == (samples, 2)
    assert np.array_equal(y[800:-1], x.T[800:-1])


def test_files_of_gaps_differ_from_recording_to_recording(tmp_path):
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("file,start,end\na.wav,0.1,0.2\nb.wav,0.5,0.6\n")
    x = noise(1, 8000)
    for name, first in (("a", 800), ("b", 4000), ("c", None)):
        source = tmp_path / f"{name}.wav"
        soundfile.write(source, x.T, RATE, "FLOAT")
        inpainted(source, tmp_path / f"y{name}.wav", str(gaps))
        y, _ = soundfile.read(tmp_path / f"y{name}.wav", dtype="float32")
        changed = np.flatnonzero(y != x[0])
        assert list(changed[[0, -1]] if changed.size else []) == (
            [] if first is None else [first, first + 799]
        )


@pytest.mark.parametrize(
    ("gaps", "error"),
    [("2-1", UsageError), ("1-12", UsageError), ("nowhere.csv", InputError), ("1-2s", UsageError)],
)
def test_gaps_that_cannot_be_leave_nothing(tmp_path, gaps, error):
    soundfile.write(tmp_path / "x.wav", noise(1, 8000).T, RATE)
    with pytest.raises(error):
        inpainted(tmp_path / "x.wav", tmp_path / "y.wav", gaps)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]
