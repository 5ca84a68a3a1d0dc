"""A codec on a recording: what comes back of it, beside plain resampling and Opus."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.opus import RATES as OPUS_RATES
from audiofix.audio.opus import through_opus
from audiofix.audio.source import open_source, read_whole
from audiofix.codes.layout import CodeLayout
from audiofix.evaluation.comparison import (
    MODEL,
    SINC,
    Comparison,
    Measuring,
    SideBySide,
)
from audiofix.metrics.alignment import advanced, delay
from audiofix.streaming.chain import Chain
from audiofix.streaming.exact_length import ExactLength
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import Stage, through

StageMaker = Callable[[AudioFormat], Stage]
"""Gives a fresh stage for a stream of this format."""

OPUS = "opus"
_MOST_DELAY_SECONDS = 0.02


def compare_codec(
    name: str,
    path: Path,
    layout: CodeLayout,
    make_stage: StageMaker,
    measuring: Measuring,
    *,
    opus: bool,
) -> Comparison:
    """Measure what a codec gives back of a recording, at the recording's own rate.

    Beside it stands the recording resampled to the codec's rate and back: what any codec of that
    rate loses. Every estimate is first brought in time with the recording, by 20 ms at most. The
    recording is held in memory.

    Args:
        name: what to call it.
        path: the recording.
        layout: of the codec's codes, of one channel.
        make_stage: makes the codec's round trip.
        measuring: what is measured.
        opus: whether to measure Opus too, at the codec's bit rate or its own lowest.

    Raises:
        InputError: the recording cannot be read.
    """
    with open_source(path) as source:
        audio = source.format
        clean = read_whole(source)
    if measuring.edge_hz is None:
        measuring = replace(measuring, edge_hz=layout.rate / 2)
    bits_per_second = layout.bits_per_second * audio.channels
    estimates, found = {}, {}
    for method, stage in {
        SINC: there_and_back(audio, layout.rate),
        MODEL: make_stage(audio),
    }.items():
        begin = perf_counter()
        estimates[method] = through(stage, clean)
        seconds = max(1, clean.shape[1]) / audio.rate
        found[method] = {"rtf": (perf_counter() - begin) / seconds}
    found[MODEL]["bitrate"] = bits_per_second / 1000
    if opus:
        estimates[OPUS], taken = _through_opus(clean, audio, bits_per_second)
        found[OPUS] = {"bitrate": taken / 1000}
    return _compared(name, clean, estimates, found, audio, measuring)


def there_and_back(audio: AudioFormat, rate: int) -> Stage:
    """Return a stage that resamples to another rate and back, of exact length."""
    there = Resample(audio, rate)
    return ExactLength(Chain(there, Resample(there.result, audio.rate)))


def _compared(
    name: str,
    clean: Chunk,
    estimates: Mapping[str, Chunk],
    found: dict[str, dict[str, float]],
    audio: AudioFormat,
    measuring: Measuring,
) -> Comparison:
    aligned = []
    for method, estimate in estimates.items():
        late = delay(estimate, clean, round(_MOST_DELAY_SECONDS * audio.rate))
        found[method]["delay"] = 1000 * late / audio.rate
        aligned.append(advanced(estimate, late))
    side = SideBySide(name, audio, list(estimates), measuring)
    side.push(clean, *aligned)
    return side.comparison(None, found)


def _through_opus(clean: Chunk, audio: AudioFormat, bits_per_second: float) -> tuple[Chunk, float]:
    if audio.rate in OPUS_RATES:
        return through_opus(clean, audio.rate, bits_per_second)
    there = Resample(audio, OPUS_RATES[-1])
    decoded, taken = through_opus(through(there, clean), there.result.rate, bits_per_second)
    back = through(ExactLength(Resample(there.result, audio.rate)), decoded)
    short = max(0, clean.shape[1] - back.shape[1])
    return np.pad(back, ((0, 0), (0, short)))[:, : clean.shape[1]], taken
