"""audiofix: a command-line audio toolkit whose effects are neural.

Importing this package loads nothing heavy; `audiofix.upsample(...)` and its sisters
(see `audiofix.api`) load what they need on first use.
"""

from importlib import import_module
from typing import Any

from audiofix.version import VERSION as __version__

_API = ("upsample", "encode", "decode", "open_stage")
_SUBPACKAGES = ("backends",)

__all__ = ["__version__", *_API, *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module("audiofix.api"), name)
    if name in _SUBPACKAGES:
        return import_module(f"audiofix.{name}")
    raise AttributeError(f"module 'audiofix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
