"""Where a model computes, and how precisely."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch

from audiofix.errors import DeviceError, UsageError
from audiofix.jobs import workers

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and the type that matrix products are computed in."""

    device: torch.device
    dtype: torch.dtype = torch.float32

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which a model's forward pass runs."""
        if self.dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Say in one line where a device ran out of memory.

        Raises:
            DeviceError: it did.
        """
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{self.device}: out of memory: use --device cpu, or close other programs"
            ) from error

    def __str__(self) -> str:
        return f"{self.device}, {str(self.dtype).removeprefix('torch.')}"


def place(device: str = "auto", precision: str = "auto") -> Placement:
    """Return the placement that a user's words mean.

    Args:
        device: `auto` (CUDA, then Apple's GPU, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.
            `auto` and `cuda` are the first GPU, and in the processes of `--jobs` one after another.
        precision: `auto` (float32), `fp32`, `bf16` or `fp16`.

    Raises:
        UsageError: a word is unknown.
        DeviceError: the device is not on this machine.
    """
    if precision not in ("auto", *_PRECISIONS):
        raise UsageError(f"precision {precision}: unknown: use auto, {', '.join(_PRECISIONS)}")
    return Placement(_device(device), _PRECISIONS.get(precision, torch.float32))


def _device(name: str) -> torch.device:
    if name == "auto" and torch.cuda.is_available():
        name = "cuda"
    if name == "auto":
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device {name}: unknown: use auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cuda" and device.index is None and torch.cuda.is_available():
        # The processes of a batch take the GPUs in turn.
        device = torch.device("cuda", workers.own_number % torch.cuda.device_count())
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise DeviceError(
            f"device {name}: torch {torch.__version__} finds {count} CUDA devices here: "
            "use --device cpu, or see `audiofix doctor`"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device mps: not on this machine: use --device cpu")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"device {name}: not supported: use auto, cpu, cuda, cuda:N or mps")
    return device
