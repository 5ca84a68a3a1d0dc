"""The shipped generator of digits, judged by the shipped classifier; the cards have figures."""

import numpy as np
import pytest

from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import GenerateRequest
from audiofix.checkpoints.catalogue import entries
from audiofix.checkpoints.store import model_path


def judged(count, seed):
    """Return the probabilities `[count, 10]` of recordings, and the digits that were asked for."""
    model = load("generate", "asgan-small-digits-16k", place("cpu"))
    classifier = load("eval", "asgan-small-classifier-16k", place("cpu"))
    request = GenerateRequest(count, seed=seed)
    sound = np.concatenate(list(model.samples(request)))
    assert sound.shape == (count, 16000) and 0.05 < np.abs(sound).max() < 1.5
    return classifier.classify(sound).probabilities, model.latents(request).values[:, :10].argmax(1)


def test_most_recordings_are_digits_and_of_many_kinds():
    found, _ = judged(24, seed=1)
    assert (found.max(1) > 0.9).mean() > 0.5
    assert len(set(found.argmax(1).tolist())) >= 7


@pytest.mark.slow
def test_as_many_are_sure_and_right_as_when_it_was_shipped():
    found, asked = judged(300, seed=0)
    assert (found.max(1) > 0.9).mean() == pytest.approx(0.680, rel=0.05)
    assert (found.argmax(1) == asked).mean() == pytest.approx(0.770, rel=0.05)
    shares = np.bincount(found.argmax(1), minlength=10) / len(found)
    assert shares.min() > 0.03 and shares.max() < 0.25


def test_both_files_are_small():
    for name in ("asgan-small-digits-16k", "asgan-small-classifier-16k"):
        assert entries()[name].shipped and model_path(name).stat().st_size < 1_000_000
