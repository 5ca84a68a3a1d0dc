"""The authors' and the community's Apollo files: what network they belong to, and writing them."""

import io
from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from torch import Tensor

from audiofix.backends.apollo.config import config_of_shapes
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.backends.weights import Checkpoint
from audiofix.errors import CheckpointError

_LIGHTNING = "audio_model."
"""Begins the generator's names in checkpoints of the authors' training."""

LAYOUTS = ("official", "msst")
"""Of files that others' programs load: the authors', and Music-Source-Separation-Training."""

_MSST_CHUNK_SAMPLES = 132300
"""As the community's settings have it; `files` writes it beside the model's own settings."""


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


def files(checkpoint: Checkpoint, layout: str) -> dict[str, bytes]:
    """Return the files, by extension, in which others' programs expect this model.

    Args:
        checkpoint: an Apollo.
        layout: one of `LAYOUTS`.

    Raises:
        CheckpointError: it is a model that only audiofix can run.
    """
    config = dict(checkpoint.config)
    if config.get("residual") or config.get("dither"):
        raise CheckpointError(
            f"{checkpoint.name}: corrects its input, which only audiofix can do: export it without "
            "--format"
        )
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    model = {name: config[name] for name in ("sr", "win", "feature_dim", "layer")}
    if layout == "official":
        return {
            ".bin": _saved({"model_name": "Apollo", "state_dict": tensors, "model_args": model})
        }
    settings = {
        "audio": {
            "chunk_size": _MSST_CHUNK_SAMPLES,
            "num_channels": 2,
            "sample_rate": model["sr"],
            "min_mean_abs": 0.0,
        },
        "model": model,
        "training": {"instruments": ["restored", "addition"], "target_instrument": "restored"},
        "augmentations": {"enable": False},
        "inference": {"batch_size": 4, "num_overlap": 4},
    }
    text = yaml.safe_dump(settings, sort_keys=False)
    return {".ckpt": _saved({"state_dict": tensors}), ".yaml": text.encode()}


def _saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _generator(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the generator's tensors of a file that may hold a discriminator's too."""
    if not any(name.startswith(_LIGHTNING) for name in tensors):
        return dict(tensors)
    return {
        name.removeprefix(_LIGHTNING): tensor
        for name, tensor in tensors.items()
        if name.startswith(_LIGHTNING)
    }
