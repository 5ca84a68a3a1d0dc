import numpy as np
import pytest
import soxr
from stages import check_stage, feed

from audiofix.audio.format import AudioFormat
from audiofix.streaming.resample import Resample


@pytest.mark.parametrize(("source", "result"), [(16000, 48000), (44100, 16000), (48000, 48000)])
def test_keeps_the_laws(source, result):
    check_stage(
        lambda: Resample(AudioFormat(source, 2), result),
        lengths=[4095, 4096, 4097, 17389],
        hour_samples=2_000_000,
    )


@pytest.mark.parametrize(("source", "result"), [(16000, 48000), (44100, 16000)])
def test_short_blocks_keep_the_laws_and_wait_less(source, result):
    def short():
        return Resample(AudioFormat(source, 2), result, block_seconds=0.005)

    check_stage(short, lengths=[79, 80, 81, 4411], hour_samples=2_000_000)
    assert short().latency < Resample(AudioFormat(source, 2), result).latency - 2000
    x = np.random.default_rng(0).standard_normal((2, 20011)).astype(np.float32)
    whole = feed(Resample(AudioFormat(source, 2), result), x, [20011])
    assert np.abs(feed(short(), x, [20011]) - whole).max() < 1e-6


@pytest.mark.parametrize(("source", "result"), [(8000, 48000), (11025, 48000), (96000, 44100)])
def test_result_sample_k_lies_at_time_k_over_rate(source, result):
    def tone(rate, samples):
        return np.sin(2 * np.pi * 440 * np.arange(samples) / rate)

    y = feed(Resample(AudioFormat(source, 1), result), tone(source, source)[None], [source])[0]
    middle = slice(len(y) // 4, -len(y) // 4)
    assert np.abs(y - tone(result, len(y)))[middle].max() < 1e-5


def test_agrees_with_soxr_in_one_go():
    x = np.random.default_rng(0).standard_normal(20011).astype(np.float32)
    y = feed(Resample(AudioFormat(22050, 1), 48000), x[None], [20011])[0]
    assert np.abs(y - soxr.resample(x, 22050, 48000, "VHQ")[: y.size]).max() < 1e-6


@pytest.mark.parametrize(
    ("source", "result", "samples", "expected"),
    [(11, 48000, 50, 218182), (192000, 8000, 50000, 2083), (48000, 16000, 1, 0), (2, 1, 1, 1)],
)
def test_lengths_are_exact_at_extreme_ratios(source, result, samples, expected):
    stage = Resample(AudioFormat(source, 1), result)
    assert stage.output_length(samples) == expected
    assert feed(stage, np.ones((1, samples), np.float32), [samples]).shape == (1, expected)
