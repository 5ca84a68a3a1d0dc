"""The published systems, one package each. Torch begins here, on first use."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def build(name: str, config: Mapping[str, object]) -> "nn.Module":
    """Return the network called `name` in eval mode; see `systems.build`."""
    from audiofix.backends.systems import build as build_network

    return build_network(name, config)
