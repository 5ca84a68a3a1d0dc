"""Checkpoints in memory, and their safe reading: no downloaded byte is ever executed."""

import json
import pickle
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

from audiofix.checkpoints import store
from audiofix.checkpoints.catalogue import entry
from audiofix.checkpoints.download import Progress
from audiofix.errors import CheckpointError

_METADATA_KEY = "audiofix"
_OUTER_KEYS = ("state_dict", "model_state_dict", "state", "model", "generator")
_PREFIXES = ("module.", "_orig_mod.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's tensors and what is needed to build the network around them.

    Attributes:
        name: catalogue name, or the file's.
        backend: the system that reads it.
        config: the network's settings under the authors' names; and `rate`, where it is known.
        tensors: state dict, float32.
        origin: where it was read from, for messages.
    """

    name: str
    backend: str
    config: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    origin: str


def load_checkpoint(name_or_path: str, *, offline: bool | None = None) -> Checkpoint:
    """Return a checkpoint by catalogue name, imported name or file.

    A released file is fetched on first use and converted once to safetensors.

    Raises:
        UnknownModel: neither a file nor a name.
        CheckpointError: it cannot be fetched or read, or is refused.
    """
    path = Path(name_or_path)
    if path.suffix or path.is_file():
        if not path.is_file():
            raise CheckpointError(f"{path}: no such checkpoint file: check the name")
        return read_file(path)
    converted = store.model_path(name_or_path)
    if converted.exists():
        return read_file(converted)
    return convert(name_or_path, offline=offline)


def convert(
    name: str, *, offline: bool | None = None, progress: Progress | None = None
) -> Checkpoint:
    """Fetch a catalogue entry, write it to the store as safetensors, and return it."""
    wanted = entry(name)
    parts = store.fetch(name, offline=offline, progress=progress)
    if wanted.backend == "audiodec":
        from audiofix.backends.audiodec.released import read_parts

        config, tensors = read_parts(parts)
    elif "weights" in parts:
        read = read_file(parts["weights"])
        config, tensors = dict(read.config), dict(read.tensors)
    else:
        raise CheckpointError(f"{name}: its system {wanted.backend} is not in this version yet")
    config = {**config, **wanted.config, "rate": wanted.rate}
    origin = ", ".join(str(path) for path in parts.values())
    checkpoint = Checkpoint(name, wanted.backend, config, tensors, origin)
    keep(checkpoint)
    if wanted.members:
        for path in parts.values():
            path.unlink(missing_ok=True)  # the archive still has it
    return checkpoint


def keep(checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into the store under its name and return its path."""
    path = store.model_path(checkpoint.name)
    with store.lock(checkpoint.name):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, checkpoint)
        store.record(path)
    return path


def save_checkpoint(path: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write a checkpoint as safetensors, under a temporary name first.

    Args:
        path: the file.
        checkpoint: what to write.
        half: whether to store the tensors as float16.
    """
    about = {"name": checkpoint.name, "backend": checkpoint.backend, "config": checkpoint.config}
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype).contiguous() for name, t in checkpoint.tensors.items()}
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, {_METADATA_KEY: json.dumps(about, sort_keys=True)})
    part.replace(path)


def read_file(path: Path) -> Checkpoint:
    """Return the checkpoint in a file: audiofix's safetensors, or an authors' pickle.

    Raises:
        CheckpointError: it is neither, is damaged, or holds code.
    """
    with path.open("rb") as file:
        head = file.read(9)
    if head[8:9] == b"{":
        return _read_safetensors(path)
    return _read_pickle(path)


def fill_module(module: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Put tensors into a network, every one of them in its place.

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
    module.load_state_dict(dict(tensors))


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get(_METADATA_KEY, "{}"))
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error}): pull or import it again") from error
    if not about:
        return Checkpoint(path.stem, *_recognise(path, tensors, {}), tensors, str(path))
    return Checkpoint(about["name"], about["backend"], about["config"], tensors, str(path))


def _read_pickle(path: Path) -> Checkpoint:
    content = _load_pickle(path)
    tensors = _tensors(content)
    tree = content.get("config", {}) if isinstance(content, dict) else {}
    return Checkpoint(path.stem, *_recognise(path, tensors, tree), tensors, str(path))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the state dict inside an authors' pickle.

    Raises:
        CheckpointError: it is damaged, holds code, or holds no tensors.
    """
    return _tensors(_load_pickle(path))


def _load_pickle(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_allowed()):
            content = torch.load(path, map_location="cpu", weights_only=True)
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
    if not _tensors(content):
        raise CheckpointError(f"{path}: holds no tensors: name a model's checkpoint")
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


def _tensors(content: object) -> dict[str, Tensor]:
    """Return the state dict inside a file's content, without wrappers' prefixes, as float32."""
    if not isinstance(content, dict):
        return {}
    for key in _OUTER_KEYS:
        if isinstance(content.get(key), dict):
            return _tensors(content[key])
    found = {}
    for name, value in content.items():
        if isinstance(value, Tensor):
            for prefix in _PREFIXES:
                name = name.removeprefix(prefix)
            found[name] = value.float() if value.is_floating_point() else value
    return found


def _recognise(
    path: Path, tensors: Mapping[str, Tensor], tree: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    """Return backend and config of an authors' file, by the names of its tensors."""
    if "patch_embed_mag.0.weight" in tensors:
        from audiofix.backends.vmasr.released import config_of

        return "vmasr", config_of(tensors, tree)
    raise CheckpointError(f"{path}: of no system that this version of audiofix knows")
