"""What the authors' VM-ASR files say of the network that they belong to."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import cast

from torch import Tensor

from audiofix.backends.released_files import read_released, tensors_in
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.errors import CheckpointError

_HOPS = {48000: 240}
_OTHER_HOP = 80
"""As published: 48 kHz models have hop 240, every other target 80."""


def recognise(tensors: Mapping[str, Tensor]) -> bool:
    """Tell a VM-ASR by the names of its tensors."""
    return "patch_embed_mag.0.weight" in tensors


def read(parts: Mapping[str, Path]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a released model.

    Args:
        parts: the file `weights`.

    Raises:
        CheckpointError: it is damaged, or no VM-ASR.
    """
    content = read_released(parts["weights"])
    tensors = tensors_in(content)
    if not recognise(tensors):
        raise CheckpointError(f"{parts['weights']}: no VM-ASR: name another file")
    tree = content.get("config")
    return config_of(tensors, tree if isinstance(tree, Mapping) else {}), tensors


def config_of(tensors: Mapping[str, Tensor], tree: Mapping[str, object]) -> dict[str, object]:
    """Return the network's settings, and `rate` where it is known.

    Args:
        tensors: the state dict; it tells sizes, and whether there is a phase stream.
        tree: the pickled configuration, nested tables with upper-case names; may be empty.
    """
    leaves = dict(_leaves(tree))
    known = {field.name for field in fields(VMASRConfig)}
    config: dict[str, object] = {name: leaves[name] for name in known if name in leaves}
    config["dims"] = tensors["patch_embed_mag.5.weight"].shape[0]
    config["depths"] = _depths(tensors)
    config["concat_skip"] = "output_layer_mag.0.skip_handler.1.weight" in tensors
    if "patch_embed_phase.0.weight" not in tensors:
        config["interact"] = "single"
    if "target_sr" in leaves:
        rate = int(cast(int, leaves["target_sr"]))
        config["rate"] = rate
        config["hop_length"] = _HOPS.get(rate, _OTHER_HOP)
    return config


def _depths(tensors: Mapping[str, Tensor]) -> list[int]:
    levels: dict[int, set[int]] = {}
    for name in tensors:
        parts = name.split(".")
        if parts[0] == "layers_encoder_mag" and parts[2] == "blocks":
            levels.setdefault(int(parts[1]), set()).add(int(parts[3]))
    return [len(levels[level]) for level in sorted(levels)]


def _leaves(tree: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield name.lower(), value
