"""audiofix: a command-line audio toolkit whose effects are neural.

Importing this package loads nothing heavy; `audiofix.upsample(...)` and its sisters
(see `audiofix.api`) load what they need on first use.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from audiofix.version import VERSION as __version__

if TYPE_CHECKING:
    from audiofix.api import (  # noqa: F401  # what type checkers and editors see
        decode,
        decode_restore,
        encode,
        generate,
        inpaint,
        load_codes,
        open_stage,
        read,
        upsample,
        write,
    )

_API = (
    "upsample",
    "decode_restore",
    "inpaint",
    "encode",
    "decode",
    "generate",
    "load_codes",
    "open_stage",
    "read",
    "write",
)
_SUBPACKAGES = ("backends",)

# OpenMP's idle threads spin for a long time by default, and on a machine whose other cores are busy
# they take the very core that the working thread needs: `upsample` took up to three times as long.
# libgomp reads this when torch loads it; what the user chose stands.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

__all__ = ["__version__", *_API, *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module("audiofix.api"), name)
    if name in _SUBPACKAGES:
        return import_module(f"audiofix.{name}")
    raise AttributeError(f"module 'audiofix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
