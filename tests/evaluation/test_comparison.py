"""Comparisons of real files, with plain resampling in the place of a model."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from stages import noise

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError, UsageError
from audiofix.evaluation.comparison import Comparison, Measuring
from audiofix.evaluation.damage import Downsampled, in_16_bits
from audiofix.evaluation.damage_comparison import compare_damaged
from audiofix.evaluation.file_comparison import compare_files
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.resample import Resample

MEASURING = Measuring(("snr", "lsd", "lsd-hf", "lsd-lf"), DEFINITIONS["standard"], None, False)
LISTENING = Measuring(("lsd",), DEFINITIONS["standard"], None, True)


def written(path: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return written(tmp_path / "clean.wav", noise(2, 30_001))


def compare_model(path: Path, rates: tuple[int, int], to: int, measuring: Measuring) -> Comparison:
    """Compare a model that only resamples."""
    models = {"model": lambda damaged: Resample(damaged.given, to)}
    return compare_damaged("a", path, Downsampled(*rates), models, measuring)


def test_files_are_compared_sample_by_sample(clean: Path, tmp_path: Path) -> None:
    made = written(tmp_path / "made.wav", 1.1 * noise(2, 30_001))
    comparison = compare_files("talks/a", clean, made, MEASURING)
    (result,) = comparison.results
    assert (result.name, result.group, result.method) == ("talks/a", "talks", "estimate")
    assert (result.input_rate, result.rate, result.samples) == (None, 16000, 30_001)
    assert result.scores["snr"] == pytest.approx(20, abs=1e-3)
    assert result.scores["lsd"] == pytest.approx(2 * np.log10(1.1), abs=1e-4)
    assert np.isnan(result.scores["lsd-hf"])
    assert comparison.excerpt is None


def test_an_excerpt_is_the_beginning_of_everything(tmp_path: Path) -> None:
    x = noise(1, 12_000)
    clean, made = (written(tmp_path / f"{n}.wav", n * x, 1000) for n in (1, 2))
    excerpt = compare_files("a", clean, made, LISTENING).excerpt
    assert excerpt is not None and excerpt.rate == 1000
    assert np.array_equal(excerpt.sounds["reference"], x[:, :8000])
    assert np.array_equal(excerpt.sounds["estimate"], 2 * x[:, :8000])


@pytest.mark.parametrize("samples", [29_999, 30_002, 0, 90_000])
@pytest.mark.parametrize("swapped", [False, True])
def test_other_lengths_are_refused_with_both_named(
    samples: int, swapped: bool, clean: Path, tmp_path: Path
) -> None:
    made = written(tmp_path / "made.wav", noise(2, samples))
    pair = (made, clean) if swapped else (clean, made)
    with pytest.raises(InputError, match=r"samples, its reference") as error:
        compare_files("a", *pair, MEASURING)
    assert f"{samples}" in str(error.value) and "30001" in str(error.value)


@pytest.mark.parametrize(
    ("channels", "rate", "words"), [(1, 16000, "1 channels"), (2, 8000, "8000 Hz")]
)
def test_other_formats_are_refused(
    channels: int, rate: int, words: str, clean: Path, tmp_path: Path
) -> None:
    made = written(tmp_path / "made.wav", noise(channels, 30_001), rate)
    with pytest.raises(InputError, match=words):
        compare_files("a", clean, made, MEASURING)


def test_a_model_that_only_resamples_is_as_good_as_resampling(clean: Path) -> None:
    measuring = Measuring((*MEASURING.metrics, "rtf"), DEFINITIONS["standard"], None, True)
    comparison = compare_model(clean, (8000, 48000), 48000, measuring)
    sinc, model = comparison.results
    assert (sinc.method, model.method, model.input_rate) == ("sinc", "model", 8000)
    for name in MEASURING.metrics:
        assert sinc.scores[name] == model.scores[name]
    assert model.scores["rtf"] > 0
    # The band below 4 kHz is there, the one above is not.
    assert 2 * sinc.scores["lsd-lf"] < sinc.scores["lsd-hf"]
    assert (sinc.rate, sinc.samples) == (48000, 90_003)
    assert comparison.excerpt is not None
    assert list(comparison.excerpt.sounds) == ["reference", "sinc", "model"]


def test_the_border_of_the_bands_can_be_named(clean: Path) -> None:
    def high(edge_hz: float | None) -> float:
        measuring = Measuring(("lsd-hf",), DEFINITIONS["standard"], edge_hz, False)
        found = compare_model(clean, (8000, 16000), 16000, measuring)
        return found.results[0].scores["lsd-hf"]

    assert high(None) == high(4000)
    assert high(2000) < high(4000)


def test_a_model_of_another_rate_is_refused(clean: Path) -> None:
    with pytest.raises(UsageError, match="change --to"):
        compare_model(clean, (8000, 48000), 16000, MEASURING)


def test_a_cut_recording_is_a_failure() -> None:
    cut = Path(__file__).parents[1] / "audio" / "bad" / "truncated.wav"
    with pytest.raises(InputError, match="cut"):
        compare_model(cut, (4000, 8000), 8000, MEASURING)
    with pytest.raises(InputError, match="cut"):
        compare_files("a", cut, cut, MEASURING)


def test_what_comes_down_is_on_the_grid_of_16_bits() -> None:
    down = Resample(AudioFormat(48000, 1), 8000)
    small = in_16_bits(np.concatenate([down.push(noise(1, 4800)), down.flush()], axis=1))
    assert small.shape == (1, 800)
    assert np.array_equal(small * 2**15, np.rint(small * 2**15))
    assert in_16_bits(np.array([[2.0, -2.0]], np.float32)).tolist() == [[1 - 2**-15, -1.0]]
