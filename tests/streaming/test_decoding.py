import numpy as np
import pytest

from audiofix.codes.layout import CodeLayout
from audiofix.streaming.decoding import Decoding

HOP = 24


class Counter:
    """A decoder whose sound is the code itself, held for a hop; it keeps one frame back."""

    def __init__(self):
        self._held = np.empty((1, 0), np.float32)

    def push(self, codes):
        sound = np.repeat(codes[:, :, 0].astype(np.float32), HOP, axis=1)
        held = np.concatenate([self._held, sound], axis=1)
        count = max(0, held.shape[1] - HOP)
        self._held = held[:, count:]
        return np.ascontiguousarray(held[:, :count])

    def flush(self):
        rest, self._held = self._held, np.empty((1, 0), np.float32)
        return rest


def layout(sound_rate):
    return CodeLayout("counter", "0" * 16, 8000, 1, HOP, 1, 10, source_rate=sound_rate)


def codes(first, count):
    return np.arange(first, first + count, dtype=np.uint16)[None, :, None]


def all_of(decoding, parts, samples):
    sounds = []
    for part in parts:
        sounds += decoding.skip(part) if isinstance(part, int) else [decoding.push(part)]
    return np.concatenate([*sounds, decoding.finish(samples)], axis=1)


def test_the_last_frame_is_cut_to_the_exact_length():
    sound = all_of(Decoding(layout(8000), Counter), [codes(0, 5), codes(5, 3)], 7 * HOP + 1)
    assert np.array_equal(sound[0], np.repeat(np.arange(8), HOP)[: 7 * HOP + 1])


def test_an_unknown_length_gives_all_there_is():
    sound = all_of(Decoding(layout(8000), Counter), [codes(0, 5)], None)
    assert np.array_equal(sound[0], np.repeat(np.arange(5), HOP))


def test_a_gap_is_silence_of_its_length_and_what_follows_stays_in_time():
    parts = [codes(1, 3), 4, codes(8, 2)]
    sound = all_of(Decoding(layout(8000), Counter), parts, 9 * HOP)
    frames = [1, 2, 3, 0, 0, 0, 0, 8, 9]
    assert np.array_equal(sound[0], np.repeat(frames, HOP))


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 11025, 6000])
@pytest.mark.parametrize("samples", [0, 1, 2, 23, 24, 25, 47, 48, 49, 1000, 10_007])
def test_any_length_at_any_rate_is_exact(rate, samples):
    at_codec = (2 * samples * 8000 + rate) // (2 * rate)
    frames = -(-at_codec // HOP)
    decoding = Decoding(layout(rate), Counter)
    parts = [codes(0, frames // 2), codes(frames // 2, frames - frames // 2)]
    assert all_of(decoding, parts, samples).shape == (1, samples)


def test_memory_does_not_grow_with_a_gap():
    decoding = Decoding(layout(8000), Counter)
    pieces = decoding.skip(100_000)
    assert max(piece.shape[1] for piece in pieces) <= 2 * HOP
