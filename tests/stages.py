"""The five laws that every stage keeps, as one reusable check (house rules, streaming)."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from audiofix.audio.format import Chunk
from audiofix.errors import InputError
from audiofix.streaming.guard import Guard
from audiofix.streaming.stage import Stage


def cuts(samples: int, seed: int = 0) -> Iterator[list[int]]:
    """Yield ways to cut a stream: sizes of chunks, empty ones among them."""
    for size in (7, 4096):
        yield [size] * (samples // size) + [samples % size]
    sizes = np.random.default_rng(seed).integers(0, max(2, samples // 5), 200)
    random = []
    while samples > 0:
        take = min(int(sizes[len(random) % 200]), samples)
        random.append(take)
        samples -= take
    yield random


def feed(stage: Stage, samples: Chunk, sizes: Sequence[int]) -> Chunk:
    """Return everything the stage makes of `samples`, cut as told."""
    parts, start = [], 0
    for size in sizes:
        parts.append(stage.push(samples[:, start : start + size]))
        start += size
    assert start == samples.shape[1]
    return np.concatenate([*parts, stage.flush()], axis=1)


def noise(channels: int, samples: int, seed: int = 1) -> Chunk:
    """Return white noise of amplitude 0.1."""
    return (np.random.default_rng(seed).standard_normal((channels, samples)) * 0.1).astype(
        np.float32
    )


def check_stage(
    make: Callable[[], Stage],
    *,
    lengths: Sequence[int],
    single_samples: int = 500,
    hour_samples: int = 0,
) -> None:
    """Hold a stage to the laws of length, chunk invariance, latency, memory and faults.

    Args:
        make: gives a fresh stage.
        lengths: stream lengths to try, those around block edges among them.
        single_samples: length of the stream that is pushed sample by sample.
        hour_samples: length of the stream for the law of memory; 0 leaves it out.
    """
    for samples in (0, 1, *lengths):
        _check_length_and_cuts(make, samples)
    _check_one_by_one(make, single_samples)
    _check_latency(make)
    _check_faults(make)
    if hour_samples:
        _check_memory(make, hour_samples)


def _check_length_and_cuts(make: Callable[[], Stage], samples: int) -> None:
    stage = make()
    x = noise(stage.source.channels, samples)
    whole = feed(stage, x, [samples])
    assert whole.shape == (stage.result.channels, stage.output_length(samples))
    assert whole.dtype == np.float32 and np.isfinite(whole).all()
    for sizes in cuts(samples):
        assert np.array_equal(feed(make(), x, sizes), whole), (
            f"{samples} samples cut as {sizes[:5]}"
        )


def _check_one_by_one(make: Callable[[], Stage], samples: int) -> None:
    x = noise(make().source.channels, samples)
    assert np.array_equal(feed(make(), x, [1] * samples), feed(make(), x, [samples]))


def _check_latency(make: Callable[[], Stage]) -> None:
    stage = make()
    extra = 1000
    out = stage.push(noise(stage.source.channels, stage.latency + extra)).shape[1]
    assert out >= extra * stage.result.rate // stage.source.rate


def _check_faults(make: Callable[[], Stage]) -> None:
    guard = Guard(make())
    x = noise(guard.source.channels, 100)
    guard.push(x)
    x[-1, 50] = np.nan
    with pytest.raises(InputError, match=f"{150 / guard.source.rate:.6f} s"):
        guard.push(x)


def _check_memory(make: Callable[[], Stage], samples: int) -> None:
    """The peak over a long stream is the peak over its first tenth."""
    stage = make()
    block = np.zeros((stage.source.channels, 1 << 16), np.float32)
    peaks = []
    tracemalloc.start()
    for part in (samples // 10, samples - samples // 10):
        tracemalloc.reset_peak()
        for _ in range(part // block.shape[1]):
            stage.push(block)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.1 + 100_000
