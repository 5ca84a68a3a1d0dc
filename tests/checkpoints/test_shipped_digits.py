"""The shipped generator of digits, judged by the shipped classifier; the cards have figures."""

import numpy as np

from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import GenerateRequest
from audiofix.checkpoints.catalogue import entries
from audiofix.checkpoints.store import model_path

COUNT = 24


def test_most_recordings_are_digits_and_of_many_kinds():
    model = load("generate", "asgan-small-digits-16k", place("cpu"))
    classifier = load("eval", "asgan-small-classifier-16k", place("cpu"))
    sound = np.concatenate(list(model.samples(GenerateRequest(COUNT, seed=1))))
    assert sound.shape == (COUNT, 16000) and 0.05 < np.abs(sound).max() < 1.5
    found = classifier.classify(sound).probabilities
    assert (found.max(1) > 0.9).mean() > 0.5
    assert len(set(found.argmax(1).tolist())) >= 7


def test_both_files_are_small():
    for name in ("asgan-small-digits-16k", "asgan-small-classifier-16k"):
        assert entries()[name].shipped and model_path(name).stat().st_size < 1_000_000
