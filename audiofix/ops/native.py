"""The compiled kernels: finding the libraries, and calling them with torch tensors.

Plain C through ctypes, so one library serves every version of Python and torch. Callers pass
contiguous tensors of the types given; results are allocated here.
"""

import ctypes
import threading
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from audiofix.errors import DeviceError
from audiofix.ops import structures

Twin = Literal["cpu", "cuda"]

ABI_VERSION = 6
TILES: dict[str, int] = {"cpu": 512, "cuda": 2048}
"""Steps between two stored states."""

MAX_STATE = 256
PANEL = 16
MAX_BLOCK, MAX_INNER, MAX_RANK = 256, 512, 16
MAX_DEPTH = 2048
MAX_HEIGHT = 1536
COLUMNS = 32
"""Outputs side by side in a convolution's packed weight."""

TYPES: dict[str, dict[torch.dtype, int]] = {
    "cpu": {torch.float32: 0},
    "cuda": {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2},
}
"""The types that each twin takes for u, delta, B and C."""


class Scan(NamedTuple):
    """The arguments of a selective scan; see `selective_scan` for their shapes."""

    u: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor | None
    delta_bias: Tensor | None
    softplus: bool
    reversed_groups: int


@cache
def library(twin: Twin) -> ctypes.CDLL:
    """Return the loaded library.

    Raises:
        DeviceError: it is not built, does not load, or is of another version.
    """
    path = files("audiofix.ops") / f"libaudiofix_{twin}.so"
    if not path.is_file():
        raise DeviceError(f"libaudiofix_{twin}.so: not built: reinstall where a compiler exists")
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise DeviceError(f"{path}: does not load: {error}") from error
    version = loaded.afx_abi_version()
    if version != ABI_VERSION:
        raise DeviceError(f"{path}: version {version}, {ABI_VERSION} is needed: reinstall audiofix")
    loaded.afx_message.restype = ctypes.c_char_p
    loaded.afx_sizeof.restype = ctypes.c_int64
    getattr(loaded, f"afx_selective_scan_workspace_{twin}").restype = ctypes.c_int64
    if twin == "cuda":
        loaded.afx_selective_scan_forward_workspace_cuda.restype = ctypes.c_int64
    else:
        loaded.afx_block_workspace_cpu.restype = ctypes.c_int64
        loaded.afx_convolve_time_workspace_cpu.restype = ctypes.c_int64
        loaded.afx_cpu_level_name.restype = ctypes.c_char_p
    return loaded


def scan_forward(scan: Scan, keep: bool) -> tuple[Tensor, Tensor]:
    """Return the scan, and with `keep` the states that the backward pass starts from."""
    twin = twin_of(scan.u)
    loaded, shape = library(twin), _shape(scan)
    out = torch.empty_like(scan.u)
    checkpoints = _exact(scan.u, *checkpoint_shape(scan, keep))
    pointers = [_pointer(out), _pointer(checkpoints if keep else None)]
    if twin == "cuda":
        workspace = _exact(scan.u, loaded.afx_selective_scan_forward_workspace_cuda(shape))
        pointers.append(_pointer(workspace))
    with _device_of(scan.u):
        status = getattr(loaded, f"afx_selective_scan_forward_{twin}")(
            ctypes.byref(_inputs(scan)), *pointers, shape, _lane(scan.u)
        )
    _check(twin, status)
    return out, checkpoints


def scan_backward(scan: Scan, gradient: Tensor, checkpoints: Tensor) -> list[Tensor]:
    """Return the gradients of u, delta, A, B, C, D and delta_bias; empty where there is none.

    Those of u and delta have the type of u, the others are float32.
    """
    twin = twin_of(scan.u)
    shape = _shape(scan)
    loaded = library(twin)
    gradients = [torch.empty_like(scan.u), torch.empty_like(scan.u)]
    gradients += [_exact(scan.u, *like.shape) for like in (scan.A, scan.B, scan.C)]
    gradients += [
        _exact(scan.u, 0 if like is None else like.shape[0]) for like in (scan.D, scan.delta_bias)
    ]
    workspace = _exact(scan.u, getattr(loaded, f"afx_selective_scan_workspace_{twin}")(shape))
    to = structures.ScanGradients(
        *(_pointer(tensor) if tensor.numel() else None for tensor in gradients)
    )
    with _device_of(scan.u):
        status = getattr(loaded, f"afx_selective_scan_backward_{twin}")(
            ctypes.byref(_inputs(scan)),
            _pointer(gradient),
            _pointer(checkpoints),
            ctypes.byref(to),
            _pointer(workspace),
            shape,
            _lane(scan.u),
        )
    _check(twin, status)
    return gradients


def plane_scan(inputs: tuple[Tensor, ...], state: int, rank: int) -> Tensor:
    """Return the sum of the four routes; the tensors of `afx_plane_inputs`, on the CPU."""
    out = torch.empty_like(inputs[0])
    status = library("cpu").afx_plane_scan_cpu(
        ctypes.byref(structures.PlaneInputs(*map(_pointer, inputs))),
        _pointer(out),
        structures.PlaneShape(*out.shape, state, rank),
        torch.get_num_threads(),
    )
    _check("cpu", status)
    return out


def convolve(plane: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return silu of the channels' own 3 x 3 convolutions; items of `plane` may lie apart."""
    out = torch.empty(plane.shape)
    status = library("cpu").afx_convolve_cpu(
        _pointer(plane),
        ctypes.c_int64(plane.stride(0)),
        _pointer(weight),
        _pointer(bias),
        _pointer(out),
        *map(ctypes.c_int64, plane.shape),
        torch.get_num_threads(),
    )
    _check("cpu", status)
    return out


def norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return the layer norm of `x` over its last axis."""
    out = torch.empty_like(x)
    status = library("cpu").afx_norm_cpu(
        *map(_pointer, (x, weight, bias)),
        ctypes.c_float(epsilon),
        _pointer(out),
        ctypes.c_int64(x.shape[-1]),
        ctypes.c_int64(x.numel() // x.shape[-1]),
        torch.get_num_threads(),
    )
    _check("cpu", status)
    return out


def norm_gate(x: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return the norm of `x` over its channels times silu(gate); `[batch, channels, places]`."""
    out = torch.empty_like(x)
    status = library("cpu").afx_norm_gate_cpu(
        _pointer(x),
        _pointer(gate),
        ctypes.c_int64(gate.stride(0)),
        _pointer(weight),
        _pointer(bias),
        ctypes.c_float(epsilon),
        _pointer(out),
        *map(ctypes.c_int64, x.shape),
        torch.get_num_threads(),
    )
    _check("cpu", status)
    return out


def project(x: Tensor, weight: Tensor, bias: Tensor | None, gelu: bool) -> Tensor:
    """Return `weight @ x + bias`, or its GELU, for contiguous `[batch, inputs, places]`."""
    batch, inputs, places = x.shape
    outputs = weight.shape[0]
    out = torch.empty(batch, outputs, places)
    status = library("cpu").afx_project_cpu(
        *(_pointer(tensor) for tensor in (x, weight, bias)),
        int(gelu),
        _pointer(out),
        *map(ctypes.c_int64, (batch, inputs, outputs, places)),
        torch.get_num_threads(),
    )
    _check("cpu", status)
    return out


def block(weights: structures.BlockWeights, x: Tensor) -> Tensor:
    """Return a visual state-space block's output for `[batch, height, width, channels]`."""
    loaded, threads = library("cpu"), torch.get_num_threads()
    batch, height, width = map(ctypes.c_int64, x.shape[:3])
    out = x.clone(memory_format=torch.contiguous_format)
    size = loaded.afx_block_workspace_cpu(ctypes.byref(weights), height, width, threads)
    workspace = _scratch(size)
    status = loaded.afx_block_cpu(
        *(ctypes.byref(weights), _pointer(out), _pointer(workspace), batch, height, width, threads)
    )
    _check("cpu", status)
    return out


def has_matrix_units() -> bool:
    """Return whether the CPU multiplies bfloat16 in units of their own."""
    return bool(library("cpu").afx_cpu_has_matrix_units())


def convolve_time(
    weights: structures.Convolution,
    then: structures.Convolution | None,
    x: Tensor,
    history: Tensor,
    residual: Tensor | None,
    activation: tuple[int, float],
    out: Tensor,
) -> Tensor:
    """Write the next steps to `out` and return the next history; see `ops.convolution`."""
    loaded, time = library("cpu"), ctypes.c_int64(x.shape[1])
    kept = torch.empty_like(history)
    workspace = _scratch(loaded.afx_convolve_time_workspace_cpu(ctypes.byref(weights), time))
    stream = structures.TimeStream(
        history.data_ptr(),
        x.data_ptr(),
        x.stride(0),
        None if residual is None else residual.data_ptr(),
        out.data_ptr(),
        kept.data_ptr(),
    )
    status = loaded.afx_convolve_time_cpu(
        ctypes.byref(weights),
        None if then is None else ctypes.byref(then),
        ctypes.byref(stream),
        activation[0],
        ctypes.c_float(activation[1]),
        _pointer(workspace),
        time,
    )
    _check("cpu", status)
    return kept


_scratches = threading.local()


def _scratch(floats: int) -> Tensor:
    """Return this thread's scratch memory: fresh pages for every call cost a tenth of its time."""
    held: Tensor | None = getattr(_scratches, "held", None)
    if held is None or held.numel() < floats:
        held = _scratches.held = torch.empty(floats)
    return held


def checkpoint_shape(scan: Scan, keep: bool) -> tuple[int, ...]:
    """Return `[batch, channels, tiles, state]`, or an empty shape without `keep`."""
    if not keep:
        return (0,)
    tile = TILES[scan.u.device.type if scan.u.device.type in TILES else "cpu"]
    batch, channels, length = scan.u.shape
    return batch, channels, -(-length // tile), scan.A.shape[1]


def twin_of(tensor: Tensor) -> Twin:
    """Return the twin that serves the tensor's device."""
    return "cuda" if tensor.is_cuda else "cpu"


def _exact(like: Tensor, *shape: int) -> Tensor:
    """Return an array of float32 on the device of `like`."""
    return torch.empty(shape, dtype=torch.float32, device=like.device)


def _shape(scan: Scan) -> structures.ScanShape:
    batch, channels, length = scan.u.shape
    return structures.ScanShape(
        batch, channels, length, scan.A.shape[1], scan.B.shape[1], scan.reversed_groups
    )


def _inputs(scan: Scan) -> structures.ScanInputs:
    return structures.ScanInputs(
        *(_pointer(tensor) for tensor in scan[:7]),
        int(scan.softplus),
        TYPES[twin_of(scan.u)][scan.u.dtype],
    )


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p | None:
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())


def _lane(tensor: Tensor) -> int | ctypes.c_void_p:
    """Return what the call runs on: a number of threads, or a CUDA stream."""
    if tensor.is_cuda:
        return ctypes.c_void_p(torch.cuda.current_stream(tensor.device).cuda_stream)
    return torch.get_num_threads()


def _device_of(tensor: Tensor) -> torch.cuda.device:
    return torch.cuda.device(tensor.device.index if tensor.is_cuda else -1)


def _check(twin: Twin, status: int) -> None:
    if status:
        reason = library(twin).afx_message(status).decode()
        raise DeviceError(f"kernel for {twin}: {reason} (status {status})")
