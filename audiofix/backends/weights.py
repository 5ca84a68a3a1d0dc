"""Checkpoints in memory, and their safe reading: no downloaded byte is ever executed."""

import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from audiofix.errors import CheckpointError, OutputError
from audiofix.files import NewFile

_METADATA_KEY = "audiofix"
_OUTER_KEYS = (
    "state_dict", "model_state_dict", "g_ema_state_dict", "state", "model", "generator",
)  # fmt: skip
_PREFIXES = ("module.", "_orig_mod.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's tensors and what is needed to build the network around them.

    Attributes:
        name: catalogue name, or the file's.
        system: the family that reads it.
        config: the network's settings under the authors' names; and `rate`, where it is known.
        tensors: state dict, float32.
        origin: where it was read from, for messages.
    """

    name: str
    system: str
    config: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    origin: str


def save_checkpoint(
    path: Path, checkpoint: Checkpoint, *, half: bool = False, overwrite: bool = True
) -> None:
    """Write a checkpoint as a safetensors file that appears whole.

    Args:
        path: the file.
        checkpoint: what to write.
        half: whether to store the tensors as float16.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: it exists, or cannot be written.
    """
    with NewFile(path, overwrite=overwrite) as new:
        write_checkpoint(new.part, checkpoint, half=half)


def write_checkpoint(path: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write a checkpoint to a path that is nobody's yet; see `save_checkpoint`."""
    about = {"name": checkpoint.name, "system": checkpoint.system, "config": checkpoint.config}
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype).contiguous() for name, t in checkpoint.tensors.items()}
    try:
        save_file(tensors, path, {_METADATA_KEY: json.dumps(about, sort_keys=True)})
    except SafetensorError as error:
        raise OutputError(f"{path}: {error}: free some space, or name another file") from error


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint in a file that audiofix wrote; None if another wrote it.

    Raises:
        CheckpointError: it is damaged.
    """
    if not _is_safetensors(path):
        return None
    tensors, about = _read_safetensors(path)
    if not about:
        return None
    return Checkpoint(about["name"], about["system"], about["config"], tensors, str(path))


def read_released(path: Path) -> Mapping[str, object]:
    """Return the content of a file that a system's authors released: a pickle or safetensors.

    Raises:
        CheckpointError: it is neither, is damaged, holds code, or holds no tensors.
    """
    if _is_safetensors(path):
        return _read_safetensors(path)[0]
    content = _load_pickle(path)
    if not isinstance(content, dict) or not tensors_in(content):
        raise CheckpointError(f"{path}: holds no tensors: name a model's checkpoint")
    return content


def tensors_in(content: object) -> dict[str, Tensor]:
    """Return the state dict inside a file's content, without wrappers' prefixes, as float32."""
    if not isinstance(content, dict):
        return {}
    for key in _OUTER_KEYS:
        if isinstance(content.get(key), dict):
            return tensors_in(content[key])
    found = {}
    for name, value in content.items():
        if isinstance(value, Tensor):
            for prefix in _PREFIXES:
                name = name.removeprefix(prefix)
            found[name] = value.float() if value.is_floating_point() else value
    return found


def fill_module(
    module: nn.Module, tensors: Mapping[str, Tensor], name: str, *, assign: bool = False
) -> None:
    """Put tensors into a network, every one of them in its place.

    Args:
        module: the network; it may be on the meta device where `assign` is set.
        tensors: its state dict.
        name: of the model, for messages.
        assign: whether the network takes over the very tensors, which may be mapped from a file,
            instead of copying them.

    Raises:
        CheckpointError: lists the names that are missing, unexpected or of another shape.
    """
    own = module.state_dict()
    shapes = [k for k in own.keys() & tensors.keys() if own[k].shape != tensors[k].shape]
    faults = {
        "missing": sorted(own.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - own.keys()),
        "of another shape": sorted(shapes),
    }
    if any(faults.values()):
        lists = "; ".join(
            f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
            for what, names in faults.items()
            if names
        )
        raise CheckpointError(f"{name}: does not fit its network: {lists}: pull or import it again")
    module.load_state_dict(dict(tensors), assign=assign)


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors, and what audiofix wrote about them; empty if it was not audiofix."""
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get(_METADATA_KEY, "{}"))
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error}): pull or import it again") from error
    if "backend" in about:  # as the first checkpoints spelled it
        about["system"] = about.pop("backend")
    return tensors, about


def _load_pickle(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_allowed()):
            mapped = zipfile.is_zipfile(path)  # older files are read into memory as a whole
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        culprit = str(error).split("GLOBAL ")[-1].split(" ")[0] if "GLOBAL" in str(error) else ""
        what = f"it would run {culprit}" if culprit else "it is damaged or holds code"
        raise CheckpointError(
            f"{path}: refused: {what}: use a checkpoint that holds tensors only"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or cut: fetch or copy it again"
        ) from error
    return content


def _allowed() -> list[Any]:
    """Return what authors' files may name: containers and numbers, nothing that acts."""
    scalar = np.float64(0).__reduce__()[0]
    return [
        # The configuration tree of authors' VM-ASR files: a dict with a few attributes. torch fills
        # plain and ordered dicts only.
        (OrderedDict, "yacs.config.CfgNode"),
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        type(np.dtype(np.float64)),
        type(np.dtype(np.float32)),
        type(np.dtype(np.int64)),
        set,
    ]
