"""A stand-in for `pickle` that makes tensors and containers only; `torch.load` takes it.

Fairseq keeps its settings and its task beside a network's tensors, as objects of argparse's,
omegaconf's and its own classes, which torch's safe loading refuses. Here an object of theirs is a
placeholder that keeps nothing and does nothing. No class and no function of any other name is
looked up, so nothing in a file can run.
"""

import pickle
from collections import OrderedDict
from typing import IO, Any

import torch

PLACEHELD = frozenset(
    {"argparse", "omegaconf", "fairseq", "enum", "typing", "builtins", "__builtin__"}
)
"""Packages whose objects are placeholders. Of Python's own: what omegaconf's objects refer to."""

_MADE = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): torch.Size,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}
"""What is looked up. Storages are torch.load's own concern."""


class Placeholder:
    """Stands for an object, takes whatever a pickle gives it, and drops it."""

    def __new__(cls, *_: object, **__: object) -> "Placeholder":
        """Take any arguments."""
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        """Take any arguments."""

    def __setstate__(self, state: object) -> None:
        """Drop the state."""

    def __setitem__(self, key: object, value: object) -> None:
        """Drop an entry of what was a dict."""

    def append(self, value: object) -> None:
        """Drop an entry of what was a list."""

    def extend(self, values: object) -> None:
        """Drop entries of what was a list."""


class Unpickler(pickle.Unpickler):
    """An unpickler that looks nothing up but `_MADE`."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what makes a tensor or a container, or the placeholder.

        Raises:
            pickle.UnpicklingError: the name is of another package.
        """
        if (module, name) in _MADE:
            return _MADE[module, name]
        if module.partition(".")[0] in PLACEHELD:
            return Placeholder
        raise pickle.UnpicklingError(f"GLOBAL {module}.{name} is not made here")


def load(file: IO[bytes], **options: Any) -> Any:
    """Return the object in a file, as `pickle.load` does."""
    return Unpickler(file, **options).load()
