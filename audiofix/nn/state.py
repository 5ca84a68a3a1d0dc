"""The history of one stream through a causal network, kept outside the network."""

import copy
from typing import Literal

from torch import Tensor, nn

Beginning = Literal["zeros", "replicate"]
"""What a transposed convolution sees before the first frame: zeros, or that frame again."""


class StreamState:
    """What each layer of a network remembers of one stream.

    One state belongs to one stream and to one network: a layer finds its history by its identity.
    A state is in no state dict. It starts empty, which each layer takes for its own silence.

    Sound is `[batch, channels, time]`, as without a state; or time-major, `[groups, time,
    channels]`, in which short blocks are computed faster.
    """

    def __init__(self, beginning: Beginning = "zeros", *, time_major: bool = False) -> None:
        """Start before the first sample."""
        self.beginning = beginning
        self.time_major = time_major
        self._axis = 1 if time_major else 2
        self._histories: dict[nn.Module, _History] = {}
        self._kept: dict[nn.Module, tuple[Tensor, ...]] = {}

    def extend(self, layer: nn.Module, x: Tensor, context: int) -> Tensor:
        """Append `x` to the layer's history and return it behind what came before.

        Args:
            layer: whose history.
            x: the next steps.
            context: how many earlier steps to return; at most what the first call asked for.

        Returns:
            The shape of `x` with `context` steps more: a view that the next call overwrites.
        """
        if layer not in self._histories:
            shape = list(x.shape)
            shape[self._axis] = context
            self._histories[layer] = _History(x.new_zeros(shape), self._axis)
        return self._histories[layer].append(x, context)

    def extend_frames(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Do as `extend` with one step of context, which `beginning` says for the first call."""
        begins = layer not in self._histories
        window = self.extend(layer, x, 1)
        if begins and self.beginning == "replicate":
            window.narrow(self._axis, 0, 1).copy_(x.narrow(self._axis, 0, 1))
        return window

    def kept(self, layer: nn.Module) -> tuple[Tensor, ...] | None:
        """Return what the layer kept last with `keep`; None before the stream begins."""
        return self._kept.get(layer)

    def keep(self, layer: nn.Module, *tensors: Tensor) -> None:
        """Remember tensors of a recursive layer; they must not be modified afterwards."""
        self._kept[layer] = tensors

    def clone(self) -> "StreamState":
        """Return an independent copy: the same stream, continued twice."""
        twin = StreamState(self.beginning, time_major=self.time_major)
        twin._histories = {layer: copy.copy(one) for layer, one in self._histories.items()}
        for history in twin._histories.values():
            history.storage = history.storage.clone()
        twin._kept = dict(self._kept)
        return twin


class _History:
    """The newest steps of one layer's input, in a buffer that is rewound only when it is full."""

    def __init__(self, before: Tensor, axis: int) -> None:
        self.storage = before
        self.axis = axis
        self.context = before.shape[axis]
        self.end = before.shape[axis]

    def append(self, x: Tensor, context: int) -> Tensor:
        assert context <= self.context
        time = x.shape[self.axis]
        if self.end + time > self.storage.shape[self.axis]:
            self._rewind(time)
        self._steps(self.end, time).copy_(x)
        self.end += time
        return self._steps(self.end - time - context, context + time)

    def _steps(self, start: int, count: int) -> Tensor:
        return self.storage.narrow(self.axis, start, count)

    def _rewind(self, time: int) -> None:
        # A copy: its old and new places may overlap.
        kept = self._steps(self.end - self.context, self.context).clone()
        # Room for several calls, so that moving the context is rare.
        shape = list(kept.shape)
        shape[self.axis] = 3 * self.context + 2 * time
        if self.storage.shape[self.axis] < shape[self.axis]:
            self.storage = kept.new_empty(shape)
        self._steps(0, self.context).copy_(kept)
        self.end = self.context


def is_time_major(state: StreamState | None) -> bool:
    """Tell the layout that goes with a state; without one it is `[batch, channels, time]`."""
    return state is not None and state.time_major
