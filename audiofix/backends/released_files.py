"""Safe reading of the files that authors released: no downloaded byte is ever executed."""

import pickle
import struct
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiofix.backends import inert_pickle
from audiofix.backends.weights import is_safetensors, read_safetensors
from audiofix.errors import CheckpointError

_OUTER_KEYS = (
    "state_dict", "model_state_dict", "g_ema_state_dict", "state", "model", "generator",
)  # fmt: skip
_PREFIXES = ("module.", "_orig_mod.")

_UNREADABLE = (
    RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError, TypeError,
    AssertionError, ArithmeticError, MemoryError, NotImplementedError, struct.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What torch raises for a file that is no pickle of its."""

_MOST_SHARING = 4
"""Tensors may share their storage, tied weights do; but not so that a small file fills memory."""


def read_released(path: Path) -> Mapping[str, object]:
    """Return the content of a file that a system's authors released: a pickle or safetensors.

    Raises:
        CheckpointError: it is neither, is damaged, holds code, or holds no tensors.
    """
    if is_safetensors(path):
        return read_safetensors(path)
    content = _load_pickle(path)
    state = _state_in(content)
    if not isinstance(content, dict) or not state:
        raise CheckpointError(f"{path}: holds no tensors: name a model's checkpoint")
    strided = all(tensor.layout == torch.strided for tensor in state.values())
    total = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if not strided or total > _MOST_SHARING * path.stat().st_size:
        raise CheckpointError(f"{path}: refused: its tensors are larger than the file")
    return content


def tensors_in(content: object) -> dict[str, Tensor]:
    """Return the state dict inside a file's content, without wrappers' prefixes, as float32."""
    found = {}
    for name, value in _state_in(content).items():
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        found[name] = value.float() if value.is_floating_point() else value
    return found


def _state_in(content: object) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        return {}
    for key in _OUTER_KEYS:
        if isinstance(content.get(key), dict):
            return _state_in(content[key])
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _load_pickle(path: Path) -> object:
    try:
        try:
            return _loaded(path, weights_only=True)
        except pickle.UnpicklingError as error:
            if _culprit(error).partition(".")[0] not in inert_pickle.PLACEHELD:
                raise
            return _loaded(path, weights_only=False, pickle_module=inert_pickle)
    except pickle.UnpicklingError as error:
        culprit = _culprit(error)
        what = f"it would run {culprit}" if culprit else "it is damaged or holds code"
        raise CheckpointError(
            f"{path}: refused: {what}: use a checkpoint that holds tensors only"
        ) from error
    except _UNREADABLE as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or cut: fetch or copy it again"
        ) from error


def _loaded(path: Path, **how: Any) -> object:
    mapped = zipfile.is_zipfile(path)  # older files are read into memory as a whole
    with torch.serialization.safe_globals(_allowed()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's thoughts on other pickles
        return torch.load(path, map_location="cpu", mmap=mapped, **how)


def _culprit(error: pickle.UnpicklingError) -> str:
    """Return the name that a pickle wanted looked up and that is not allowed; empty for none."""
    return str(error).split("GLOBAL ")[-1].split(" ")[0] if "GLOBAL" in str(error) else ""


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
