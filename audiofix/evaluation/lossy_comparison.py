"""A restorer on recordings that a lossy codec damaged, beside the damaged recordings themselves."""

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.audio.lossy import Coding, coded
from audiofix.audio.source import open_source, read_whole
from audiofix.dsp.rolloff import BandwidthMeter
from audiofix.errors import InputError
from audiofix.evaluation.comparison import (
    MODEL,
    Comparison,
    Measuring,
    SideBySide,
    StageMaker,
)
from audiofix.metrics.alignment import advanced, delay

CODED = "coded"

_MOST_DELAY_SECONDS = 0.05


def compare_coding(
    name: str, path: Path, coding: Coding, make_stage: StageMaker, measuring: Measuring
) -> Comparison:
    """Measure what a restorer makes of a recording that went through a codec.

    Both ends of the codec are real, and what it gives back is in time with the recording. The
    recording is held in memory.

    Args:
        name: what to call it.
        path: the recording.
        coding: codec and bit rate; more than two channels are coded two by two.
        make_stage: makes the restorer's stage, which keeps the rate.
        measuring: what is measured; without `edge_hz`, the coded recording's band is found.

    Raises:
        InputError: the recording cannot be read.
        UsageError: the codec is not to be had.
    """
    with open_source(path) as source:
        audio, clean = source.format, read_whole(source)
    pairs = [clean[first : first + 2] for first in range(0, len(clean), 2)]
    damaged = np.concatenate([coded(as_chunk(pair), audio.rate, coding) for pair in pairs])
    return _compared(name, str(coding), audio, (clean, damaged), make_stage, measuring)


def compare_pair(
    name: str, original: Path, damaged: Path, make_stage: StageMaker, measuring: Measuring
) -> Comparison:
    """Measure what a restorer makes of a coded recording whose original there is.

    The coded recording is brought in time with its original, by 50 ms at most, and to its length.

    Raises:
        InputError: one cannot be read, or their rates or channels differ.
    """
    with open_source(original) as clean_source, open_source(damaged) as source:
        audio = clean_source.format
        if source.format != audio:
            raise InputError(
                f"{damaged}: {source.format.rate} Hz, {source.format.channels} channels, its "
                f"original {original} {audio.rate} Hz, {audio.channels}: compare like with like"
            )
        clean, sound = read_whole(clean_source), read_whole(source)
    missing = max(0, clean.shape[1] - sound.shape[1])
    sound = np.pad(sound, ((0, 0), (0, missing)))[:, : clean.shape[1]]
    late = delay(sound, clean, round(_MOST_DELAY_SECONDS * audio.rate))
    pair = clean, as_chunk(advanced(sound, late))
    return _compared(name, "pair", audio, pair, make_stage, measuring)


def _compared(
    name: str,
    damage: str,
    audio: AudioFormat,
    pair: tuple[Chunk, Chunk],
    make_stage: StageMaker,
    measuring: Measuring,
) -> Comparison:
    clean, damaged = pair
    if measuring.edge_hz is None:
        meter = BandwidthMeter(audio.rate)
        meter.push(damaged)
        measuring = replace(measuring, edge_hz=meter.bandwidth_hz())
    stage = make_stage(audio)
    begin = perf_counter()
    restored = np.concatenate([stage.push(damaged), stage.flush()], axis=1)
    seconds = (perf_counter() - begin) / (max(1, clean.shape[1]) / audio.rate)
    side = SideBySide(name, audio, [CODED, MODEL], measuring)
    side.push(clean, damaged, restored)
    return side.comparison(None, {MODEL: {"rtf": seconds}}, damage)
