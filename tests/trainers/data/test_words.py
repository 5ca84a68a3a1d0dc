from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.data.words import DIGITS, label_of, read_features, trimmed, words

from audiofix.errors import InputError


@pytest.fixture
def speech_commands(tmp_path):
    for word in ("zero", "one", "cat", "_background_noise_"):
        (tmp_path / word).mkdir()
        for name in "abc":
            soundfile.write(tmp_path / word / f"{name}.wav", np.zeros(100), 16000)
    (tmp_path / "validation_list.txt").write_text("zero/a.wav\ncat/a.wav\n")
    (tmp_path / "testing_list.txt").write_text("one/b.wav\n")
    return tmp_path


def names(found):
    return [f"{one.path.parent.name}/{one.path.stem}" for one in found]


def test_the_lists_of_speech_commands_say_what_is_held_out(speech_commands):
    train = names(words(speech_commands, "train", DIGITS))
    assert train == ["one/a", "one/c", "zero/b", "zero/c"]
    assert names(words(speech_commands, "validation", DIGITS)) == ["zero/a"]
    assert names(words(speech_commands, "test")) == ["one/b"]
    assert len(words(speech_commands, "train")) == 6
    with pytest.raises(InputError, match="no word in split train"):
        words(speech_commands, "train", ("dog",))


def test_labels_stand_in_the_folders_or_files_names():
    assert label_of(Path("seven/x.wav"), DIGITS) == 7
    assert label_of(Path("any/7_george_3.flac"), DIGITS) == 7
    assert label_of(Path("any/nine_3.wav"), DIGITS) == 9
    assert label_of(Path("any/cat.wav"), DIGITS) is None
    assert label_of(Path("any/12_a.wav"), DIGITS) is None


def test_files_of_features_are_words_too(tmp_path):
    for number in range(12):
        torch.save(torch.full((3, 2), float(number)), tmp_path / f"{number:02}.pt")
    train, held_out = words(tmp_path, "train"), words(tmp_path, "validation")
    assert len(train) == 10 and len(held_out) == 2
    assert read_features(held_out[1].path).tolist() == [[10.0, 10.0]] * 3
    (tmp_path / "bad.pt").write_bytes(b"no")
    np.save(tmp_path / "flat.npy", np.zeros(3))
    for name in ("bad.pt", "flat.npy"):
        with pytest.raises(InputError, match="features"):
            read_features(tmp_path / name)


def test_silence_around_a_word_is_cut():
    sound = np.zeros(8000, np.float32)
    sound[3000:5000] = 0.5
    sound[1000:1100] = 1e-4
    found = trimmed(sound, 8000, 40.0)
    assert 2000 + 80 <= len(found) <= 2000 + 4 * 80 + 80
    assert np.count_nonzero(found) == 2000
    assert len(trimmed(np.zeros(800, np.float32), 8000, 40.0)) == 800
    assert len(trimmed(sound[:100], 8000, 40.0)) == 100
