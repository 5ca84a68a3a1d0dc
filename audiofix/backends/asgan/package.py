"""Safe reading of a torch.package archive: its tensors, and none of its code.

The authors unpickle their vocoder with torch's PackageImporter, which runs Python source out of the
archive. Here the archive is a zip, its pickle is read with a table of what it may name, and every
other class becomes a bag that keeps its state. Specification, section 1.1.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiofix.errors import CheckpointError

_PICKLE = "hifigan_pkl.pt"
_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class _Bag(dict[Any, Any]):
    """What stands for an object of a class that is not allowed: it keeps state and does nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __call__(self, *_: object, **__: object) -> "_Bag":
        return _Bag()


@dataclass(frozen=True, slots=True)
class _StorageType:
    """The name of a storage class in a pickle."""

    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class _Storage:
    """The content of one entry of the archive, and its type."""

    content: torch.UntypedStorage
    dtype: torch.dtype


def read_package(path: Path) -> tuple[dict[str, Tensor], Mapping[str, object]]:
    """Return the state dict of the module in a package, and its settings `h`.

    Args:
        path: a torch.package archive that holds a pickled module.

    Raises:
        CheckpointError: it is no such archive, is damaged, or holds no module.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(_PICKLE)]
            if len(names) != 1:
                raise CheckpointError(f"{path}: no package of a vocoder: fetch it again")
            top = names[0].split("/", 1)[0]
            root = _Reader(archive, top, archive.read(names[0])).load()
    except (
        zipfile.BadZipFile, pickle.UnpicklingError, OSError, EOFError, KeyError, ValueError,
        RuntimeError, TypeError, IndexError, AttributeError,
    ) as error:  # fmt: skip
        raise CheckpointError(f"{path}: damaged, or no package ({error}): fetch it again") from (
            error
        )
    if not isinstance(root, _Bag) or "_modules" not in root.state:
        raise CheckpointError(f"{path}: holds no module: fetch it again")
    tensors: dict[str, Tensor] = {}
    _collect(root, "", tensors)
    settings = root.state.get("h")
    return tensors, dict(settings) if isinstance(settings, dict) else {}


class _Reader(pickle.Unpickler):
    """An unpickler that can make tensors, containers and bags."""

    def __init__(self, archive: zipfile.ZipFile, top: str, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self._archive, self._top = archive, top
        self._storages: dict[str, torch.UntypedStorage] = {}

    def find_class(self, module: str, name: str) -> Any:
        allowed: dict[tuple[str, str], Callable[..., object]] = {
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("collections", "OrderedDict"): OrderedDict,
            ("builtins", "set"): set,
        }
        if (module, name) in allowed:
            return allowed[module, name]
        if module in ("torch", "torch.storage") and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        return _Bag

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or pid[0] != "storage":
            return _Bag()
        _, kind, key, _, _ = pid
        if not isinstance(kind, _StorageType):
            raise pickle.UnpicklingError(f"storage of unknown type {kind}")
        if str(key) not in self._storages:
            content = self._archive.read(f"{self._top}/.data/{int(key)}.storage")
            whole = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            self._storages[str(key)] = whole.untyped_storage()
        return _Storage(self._storages[str(key)], kind.dtype)


def _rebuild_tensor(
    storage: _Storage,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    *_: object,
) -> Tensor:
    tensor = torch.empty(0, dtype=storage.dtype)
    return tensor.set_(storage.content, offset, tuple(size), tuple(stride)).clone()


def _collect(module: _Bag, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put a module's parameters and buffers, and those below it, under their names."""
    for kind in ("_parameters", "_buffers"):
        for name, tensor in module.state.get(kind, {}).items():
            if isinstance(tensor, Tensor):
                tensors[prefix + name] = tensor
    for name, below in module.state.get("_modules", {}).items():
        if isinstance(below, _Bag):
            _collect(below, f"{prefix}{name}.", tensors)
