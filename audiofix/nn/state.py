"""The history of one stream through a causal network, kept outside the network."""

import copy
from typing import Literal

import torch
from torch import Tensor, nn

Beginning = Literal["zeros", "replicate"]
"""What a transposed convolution sees before the first frame: zeros, or that frame again."""


class StreamState:
    """What each layer of a network remembers of one stream.

    One state belongs to one stream and to one network: a layer finds its history by its identity.
    A state is in no state dict. It starts empty, which each layer takes for its own silence.
    """

    def __init__(self, beginning: Beginning = "zeros") -> None:
        """Start before the first sample."""
        self.beginning = beginning
        self._histories: dict[nn.Module, _History] = {}

    def extend(
        self, layer: nn.Module, x: Tensor, context: int, first: Tensor | None = None
    ) -> Tensor:
        """Append `x` to the layer's history and return it behind what came before.

        Args:
            layer: whose history.
            x: `[groups, time, channels]`.
            context: how many earlier time steps to return; at most what the first call asked for.
            first: what the layer's first call finds before `x`, repeated; zeros if None.

        Returns:
            `[groups, context + time, channels]`, a view that the layer's next call overwrites.
        """
        if layer not in self._histories:
            before = x.new_zeros(x.shape[0], context, x.shape[2])
            if first is not None:
                before = before + first
            self._histories[layer] = _History(before)
        return self._histories[layer].append(x, context)

    def clone(self) -> "StreamState":
        """Return an independent copy: the same stream, continued twice."""
        twin = StreamState(self.beginning)
        twin._histories = {layer: copy.copy(one) for layer, one in self._histories.items()}
        for history in twin._histories.values():
            history.storage = history.storage.clone()
        return twin

    def to(self, device: torch.device) -> "StreamState":
        """Move every history to a device, in place."""
        for history in self._histories.values():
            history.storage = history.storage.to(device)
        return self


class _History:
    """The newest steps of one layer's input, in a buffer that is rewound only when it is full."""

    def __init__(self, before: Tensor) -> None:
        self.storage = before
        self.context = before.shape[1]
        self.end = before.shape[1]

    def append(self, x: Tensor, context: int) -> Tensor:
        assert context <= self.context
        time = x.shape[1]
        if self.end + time > self.storage.shape[1]:
            self._rewind(time)
        self.storage[:, self.end : self.end + time] = x
        self.end += time
        return self.storage[:, self.end - time - context : self.end]

    def _rewind(self, time: int) -> None:
        kept = self.storage[:, self.end - self.context : self.end]
        # Room for several calls, so that moving the context is rare.
        room = 2 * (self.context + time)
        if self.storage.shape[1] < self.context + room:
            groups, _, channels = self.storage.shape
            self.storage = kept.new_empty(groups, self.context + room, channels)
        else:
            kept = kept.clone()  # its old and new places may overlap
        self.storage[:, : self.context] = kept
        self.end = self.context
