"""Phrases from single notes."""

import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.arrangement import RATE, arrange


@pytest.fixture
def notes(tmp_path):
    """Two instruments: a low tone and a high one, each of one note."""
    time = np.arange(RATE) / RATE
    paths = []
    for name, frequency in (("low", 200), ("high", 3000)):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.sin(2 * np.pi * frequency * time), RATE)
        paths.append([path])
    return paths


def test_a_phrase_has_its_length_and_peak_and_repeats_by_its_seed(notes):
    one, same, other = (arrange(notes, 3.0, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.shape == (2, 3 * RATE)
    assert one.dtype == np.float32
    assert -9.01 < 20 * np.log10(np.abs(one).max()) < -0.99
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_phrase_is_made_of_the_notes_alone(notes):
    sound = arrange(notes[:1], 4.0, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(sound[0])) ** 2
    frequencies = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    near = power[(frequencies > 150) & (frequencies < 250)].sum()
    assert near / power.sum() > 0.99


def test_recordings_at_another_rate_are_left_out(tmp_path):
    path = tmp_path / "note.wav"
    soundfile.write(path, np.ones(48000), 48000)
    assert not arrange([[path]], 1.0, np.random.default_rng(0)).any()
