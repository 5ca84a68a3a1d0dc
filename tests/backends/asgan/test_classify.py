import numpy as np
import pytest
import torch
from tiny import tiny_asgan_checkpoint, tiny_classifier_checkpoint

from audiofix.backends.asgan.classify import open
from audiofix.backends.asgan.pictures import mel_pictures
from audiofix.backends.placement import Placement
from audiofix.backends.weights import read_checkpoint
from audiofix.errors import CheckpointError

CPU = Placement(torch.device("cpu"))


def test_recordings_are_judged_by_their_pictures(tmp_path):
    classifier = open(read_checkpoint(tiny_classifier_checkpoint(tmp_path / "c.safetensors")), CPU)
    sound = np.random.default_rng(0).standard_normal((3, 16000)).astype(np.float32)
    found = classifier.classify(sound)
    assert found.features.shape == (3, 256) and found.probabilities.shape == (3, 10)
    np.testing.assert_allclose(found.probabilities.sum(1), 1)
    logits = classifier._network(mel_pictures(torch.from_numpy(sound)))
    np.testing.assert_allclose(found.probabilities, logits.double().softmax(1), atol=1e-6)
    assert classifier.rate == 16000 and classifier.labels == 10


def test_a_generator_is_no_judge(tmp_path):
    checkpoint = read_checkpoint(tiny_asgan_checkpoint(tmp_path / "g.safetensors"))
    with pytest.raises(CheckpointError, match="name one with --classifier"):
        open(checkpoint, CPU)
