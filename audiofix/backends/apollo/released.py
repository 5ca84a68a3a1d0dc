"""What the authors' and the community's Apollo files say of the network that they belong to."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from audiofix.backends.apollo.config import config_of_shapes
from audiofix.backends.weights import read_released, tensors_in
from audiofix.errors import CheckpointError

_LIGHTNING = "audio_model."
"""Begins the generator's names in checkpoints of the authors' training."""


def recognise(tensors: Mapping[str, Tensor]) -> bool:
    """Tell an Apollo by the names of its tensors."""
    names = _generator(tensors)
    return "BN.79.1.weight" in names and "net.0.band_net.input_norm.weight" in names


def read(parts: Mapping[str, Path]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a released model.

    Args:
        parts: the file `weights`.

    Raises:
        CheckpointError: it is damaged, or no Apollo.
    """
    tensors = tensors_in(read_released(parts["weights"]))
    if not recognise(tensors):
        raise CheckpointError(f"{parts['weights']}: no Apollo: name another file")
    own = _generator(tensors)
    try:
        config = config_of_shapes({name: tuple(tensor.shape) for name, tensor in own.items()})
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(
            f"{parts['weights']}: an Apollo that lacks parts ({error}): get it again"
        ) from error
    return {**config, "rate": config["sr"]}, own


def _generator(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the generator's tensors of a file that may hold a discriminator's too."""
    if not any(name.startswith(_LIGHTNING) for name in tensors):
        return dict(tensors)
    return {
        name.removeprefix(_LIGHTNING): tensor
        for name, tensor in tensors.items()
        if name.startswith(_LIGHTNING)
    }
