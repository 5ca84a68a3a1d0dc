"""Checkpoints in memory and on disk, and putting their tensors into networks."""

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from audiofix.errors import CheckpointError, OutputError
from audiofix.files import NewFile

_METADATA_KEY = "audiofix"
_LARGEST_NUMBER = 1 << 24
_LONGEST_TEXT = 10_000
_MOST_SETTINGS = 200
_DEEPEST_SETTINGS = 8


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
        # safetensors replaces the file by one that only its owner may read.
        new.part.chmod(stat.S_IMODE(os.fstat(new.file.fileno()).st_mode))


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
    found = read_heading(path)
    return found and replace(found, tensors=read_safetensors(path))


def read_heading(path: Path) -> Checkpoint | None:
    """Return the same without its tensors, at once.

    Raises:
        CheckpointError: it is damaged.
    """
    if not is_safetensors(path):
        return None
    about = _written_about(path)
    if not about:
        return None
    name, system, config = (about.get(key) for key in ("name", "system", "config"))
    if not (isinstance(name, str) and isinstance(system, str) and isinstance(config, dict)):
        raise CheckpointError(f"{path}: damaged: its metadata makes no sense: import it again")
    refuse_absurd_settings(config, str(path))
    return Checkpoint(name, system, config, {}, str(path))


def refuse_absurd_settings(config: object, name: str, depth: int = 0) -> None:
    """Check that settings are such as a network can have, before anything is built from them.

    Raises:
        CheckpointError: a number, a list, a text or the nesting is beyond any network's.
    """
    if isinstance(config, Mapping):
        entries = list(config.values())
    elif isinstance(config, list | tuple):
        entries = list(config)
    else:
        too_large = (
            len(config) > _LONGEST_TEXT
            if isinstance(config, str)
            else isinstance(config, int | float) and not abs(config) <= _LARGEST_NUMBER
        )
        if too_large:
            raise CheckpointError(f"{name}: refused: a setting of {config!r:.40}: no model has it")
        return
    if depth > _DEEPEST_SETTINGS or len(entries) > _MOST_SETTINGS:
        raise CheckpointError(f"{name}: refused: more settings than any model has")
    for one in entries:
        refuse_absurd_settings(one, name, depth + 1)


Network = TypeVar("Network", bound=nn.Module)


def filled_module(make: Callable[[], Network], tensors: Mapping[str, Tensor], name: str) -> Network:
    """Return a network with the tensors of a checkpoint.

    The network is made without memory first, so that settings that ask for more than the tensors
    are cost nothing. Networks keep arithmetic off the meta device, for which torch would import its
    compiler; that takes a second.

    Raises:
        CheckpointError: the tensors do not fit, or are not finite.
    """
    with torch.device("meta"):
        _refuse_misfit(make(), tensors, name)
    network = make()
    fill_module(network, tensors, name)
    return network


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
        CheckpointError: lists the names that are missing, unexpected, of another shape or not
            finite.
    """
    _refuse_misfit(module, tensors, name)
    broken = [key for key, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise CheckpointError(
            f"{name}: {len(broken)} of its tensors ({', '.join(broken[:3])}) are not finite: "
            "get it again, or go back to an earlier checkpoint of its training"
        )
    module.load_state_dict(dict(tensors), assign=assign)


def _refuse_misfit(module: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
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


def is_safetensors(path: Path) -> bool:
    """Tell a safetensors file by its first bytes."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a safetensors file, as float32.

    Raises:
        CheckpointError: it is damaged.
    """
    with _opened_safetensors(path) as file:
        return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118


def _written_about(path: Path) -> dict[str, Any]:
    """Return what audiofix wrote about the tensors; empty if it was not audiofix."""
    with _opened_safetensors(path) as file:
        about = json.loads((file.metadata() or {}).get(_METADATA_KEY, "{}"))
    if not isinstance(about, dict):
        raise CheckpointError(f"{path}: damaged: its metadata makes no sense: import it again")
    if "backend" in about:  # as the first checkpoints spelled it
        about["system"] = about.pop("backend")
    return about


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:  # or nested too deep
        raise CheckpointError(f"{path}: damaged ({error}): pull or import it again") from error
