"""Several processes, one run: each takes its share of every batch (`torchrun` starts them)."""

import atexit
import os
import pickle
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
from audiofix.trainers.liveness import Liveness
from audiofix.trainers.stop_request import StopRequest
from torch import Tensor, distributed, nn

from audiofix.errors import DeviceError
from audiofix.exit_status import ExitStatus

Item = TypeVar("Item")

_LONGEST_WAIT = timedelta(hours=12)
"""While one process prepares or validates, the others wait. Lost processes are found by their
heartbeats, long before."""


_MEETING_TIME = timedelta(minutes=5)
_TRY_TIME = timedelta(seconds=5)
_PAUSE_SECONDS = 0.5
_STORE_PORT = "audiofix/port"


@dataclass(frozen=True, slots=True)
class World:
    """The processes of a run, and which of them this is.

    Attributes:
        rank: of this process; 0 is the main one.
        size: how many there are.
        device: that they exchange tensors on.
        liveness: whether the others are there; None where there are no others.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    liveness: Liveness | None = None

    @property
    def is_main(self) -> bool:
        """Whether this process writes what the run writes."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return this process's part of items; all parts are equal where the size divides them."""
        return items[self.rank :: self.size]

    def gathered(self, lists: Mapping[str, Sequence[Item]]) -> dict[str, list[Item]]:
        """Return lists, of plain numbers and arrays, followed by the other processes' of the name.

        All processes get the same: the lists of the first, then of the second, and so on.
        """
        whole: dict[str, list[Item]] = {}
        for rank in range(self.size):
            for name, part in self._object_of(rank, lists).items():
                whole.setdefault(name, []).extend(part)
        return whole

    def wait_for_all(self) -> None:
        """Return when every process is here."""
        if self.liveness:
            self.liveness.wait(distributed.barrier(async_op=True))

    def any(self, wish: bool) -> bool:
        """Return whether any process wishes it, the same for all."""
        return wish if self.size == 1 else self._sum([float(wish)])[0] > 0

    def mean(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return the means over the processes of numbers that all of them have."""
        if self.size == 1:
            return dict(numbers)
        sums = self._sum(list(numbers.values()))
        return {name: total / self.size for name, total in zip(numbers, sums, strict=True)}

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over the processes.

        One exchange for all of them instead of DistributedDataParallel's hooks: these networks are
        small, their losses call more than `forward`, and some of their weights are never used.
        """
        self._average([p.grad for p in parameters if p.grad is not None])

    def average_buffers(self, networks: Iterable[nn.Module]) -> None:
        """Replace every buffer by its mean over the processes.

        A process's buffers, codebooks for example, have seen its own share of the batch only.
        """
        buffers = [one for network in networks for one in network.buffers()]
        self._average([one for one in buffers if one.is_floating_point()])

    def broadcast(self, content: Any) -> Any:
        """Return the main process's content: nested dicts and lists of numbers and tensors.

        Args:
            content: what the main process sends; is left aside in the others.
        """
        if not self.liveness:
            return content
        tensors: list[Tensor] = []
        outline = self._object_of(0, _outline(content, tensors) if self.is_main else None)
        if not self.is_main:
            tensors = [torch.empty(shape, dtype=dtype) for shape, dtype in _shapes(outline)]
        received = []
        for tensor in tensors:
            moved = tensor.to(self.device).contiguous()
            self.liveness.wait(distributed.broadcast(moved, 0, async_op=True))
            received.append(moved)
        return content if self.is_main else _filled(outline, iter(received))

    def _object_of(self, rank: int, content: Any) -> Any:
        """Return the object that one process has; others hand in what is left aside.

        As torch's `broadcast_object_list` does it, by pickle between processes that trust each
        other; but that one cannot be watched, and would wait for a lost process.
        """
        if not self.liveness:
            return content
        is_sender = rank == self.rank
        data = bytearray(pickle.dumps(content) if is_sender else b"")
        size = torch.tensor([len(data)], device=self.device)
        self.liveness.wait(distributed.broadcast(size, rank, async_op=True))
        data = data or bytearray(int(size))
        sent = torch.frombuffer(data, dtype=torch.uint8).to(self.device)
        self.liveness.wait(distributed.broadcast(sent, rank, async_op=True))
        return content if is_sender else pickle.loads(sent.cpu().numpy().tobytes())

    @torch.no_grad()
    def _average(self, tensors: list[Tensor]) -> None:
        """Replace tensors by their means over the processes, in one exchange."""
        if not self.liveness or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        self.liveness.wait(distributed.all_reduce(flat, async_op=True))
        flat /= self.size
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, parts, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def _sum(self, numbers: list[float]) -> list[float]:
        assert self.liveness
        # float32: the numbers are losses, and Apple's GPU has no other.
        values = torch.tensor(numbers, dtype=torch.float32, device=self.device)
        self.liveness.wait(distributed.all_reduce(values, async_op=True))
        sums: list[float] = values.tolist()
        return sums


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of a tensor in an outline."""

    shape: tuple[int, ...]
    dtype: torch.dtype


def _outline(content: Any, tensors: list[Tensor]) -> Any:
    """Return `content` with a slot for each tensor; the tensors go to the list, in order."""
    if isinstance(content, Tensor):
        tensors.append(content.detach())
        return _Slot(tuple(content.shape), content.dtype)
    if isinstance(content, Mapping):
        return {key: _outline(value, tensors) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(_outline(value, tensors) for value in content)
    return content


def _shapes(outline: Any) -> Iterator[tuple[tuple[int, ...], torch.dtype]]:
    if isinstance(outline, _Slot):
        yield outline.shape, outline.dtype
    elif isinstance(outline, Mapping | list | tuple):
        for value in outline.values() if isinstance(outline, Mapping) else outline:
            yield from _shapes(value)


def _filled(outline: Any, tensors: Iterator[Tensor]) -> Any:
    """Return the outline with tensors in its slots."""
    if isinstance(outline, _Slot):
        return next(tensors)
    if isinstance(outline, Mapping):
        return {key: _filled(value, tensors) for key, value in outline.items()}
    if isinstance(outline, list | tuple):
        return type(outline)(_filled(value, tensors) for value in outline)
    return outline


def world_from_environment() -> World:
    """Return the rank and size that `joined` will yield, before anything is joined."""
    return World(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


@contextmanager
def joined(device: torch.device, stop: StopRequest | None = None) -> Iterator[World]:
    """Join the processes that `torchrun` started; alone without it.

    Args:
        device: of this process.
        stop: ends waiting for the others, a while after it came.

    Raises:
        DeviceError: one of the others is lost, or did not come.
    """
    if world_from_environment().size == 1:
        yield World(device=device)
        return
    on_gpu = device.type == "cuda"
    try:
        meeting, rank, size = next(iter(distributed.rendezvous("env://", timeout=_MEETING_TIME)))
        store = _fresh_store(meeting, rank, size)
        distributed.init_process_group(
            "nccl" if on_gpu else "gloo",
            store=distributed.PrefixStore("group", store),
            rank=rank,
            world_size=size,
            device_id=device if on_gpu else None,
            timeout=_LONGEST_WAIT,
        )
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(
            f"the other processes: not met ({reason}): start all of them, with --resume"
        ) from error
    with Liveness(distributed.PrefixStore("alive", store), rank, size, stop) as liveness:
        try:
            yield World(rank, size, device, liveness)
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            otherwise = ExitStatus.INTERRUPTED if interrupted else ExitStatus.FAILURE
            atexit.register(_leave, int(getattr(error, "status", otherwise)))
            raise
        distributed.destroy_process_group()


def _fresh_store(meeting: distributed.Store, rank: int, size: int) -> distributed.Store:
    """Return a store that no earlier attempt has written to.

    The store of `torchrun`, where the processes meet, outlives those that it starts again, and
    would tell the new ones where the old ones listened.
    """
    host, deadline = os.environ["MASTER_ADDR"], time.monotonic() + _MEETING_TIME.total_seconds()
    if rank == 0:
        store = distributed.TCPStore(
            host, 0, size, is_master=True, timeout=_MEETING_TIME, wait_for_workers=False
        )
        meeting.set(_STORE_PORT, str(store.port))
        return store
    while True:
        port = int(meeting.get(_STORE_PORT))
        try:
            store = distributed.TCPStore(host, port, size, timeout=_TRY_TIME)
        except RuntimeError:  # the port of an earlier attempt: its process is gone
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            store.set_timeout(_MEETING_TIME)
            return store


def _leave(status: int) -> None:
    """End this process without the interpreter's clean-up.

    That would wait, for hours, for what is still to be exchanged with a lost process.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def own_device(device: torch.device) -> torch.device:
    """Return this process's device: under `torchrun` the GPU of its local rank."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device
