"""The classifier of digits opened for `eval`: what it makes of sound."""

from typing import cast

import torch
from torch import Tensor

from audiofix.audio.format import Chunk
from audiofix.backends.asgan.classifier import Classifier
from audiofix.backends.asgan.config import ClassifierConfig
from audiofix.backends.asgan.pictures import RATE, mel_pictures
from audiofix.backends.asgan.released import CLASSIFIER_PREFIX
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import Classification
from audiofix.backends.weights import Checkpoint, fill_module
from audiofix.errors import CheckpointError


def open(checkpoint: Checkpoint, placement: Placement) -> "DigitClassifier":
    """Open a classifier's checkpoint.

    Raises:
        CheckpointError: it is no classifier, or its tensors do not fit.
    """
    table = checkpoint.config.get("classifier")
    if not isinstance(table, dict):
        raise CheckpointError(f"{checkpoint.name}: no classifier: name one with --classifier")
    network = Classifier(ClassifierConfig.from_mapping(table))
    own = network.state_dict()
    tensors: dict[str, Tensor] = {}
    for name, tensor in checkpoint.tensors.items():
        short = name.removeprefix(CLASSIFIER_PREFIX)
        tensors[short] = tensor.to(own[short].dtype) if short in own else tensor
    fill_module(network, tensors, checkpoint.name)
    return DigitClassifier(checkpoint.name, network, placement)


class DigitClassifier:
    """A loaded classifier."""

    rate = RATE

    def __init__(self, name: str, network: Classifier, placement: Placement) -> None:
        """Take a network over, in eval mode."""
        self.name = name
        self.labels = network.config.nlabels
        self._network = network.eval().requires_grad_(False).to(placement.device)
        self._placement = placement

    def classify(self, sound: Chunk) -> Classification:
        """Return what it makes of recordings `[recordings, samples]` at 16 kHz."""
        with torch.inference_mode(), self._placement.autocast():
            pictures = mel_pictures(torch.from_numpy(sound).to(self._placement.device))
            features = self._network.features(pictures)
            logits = self._network.classifier(features)
        probabilities = logits.double().softmax(1)
        return Classification(
            cast(Chunk, features.float().cpu().numpy()), probabilities.cpu().numpy()
        )
