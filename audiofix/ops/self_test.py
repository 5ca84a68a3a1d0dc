"""How far a compiled twin is from plain torch on cases that cross every boundary of its plan."""

import torch
from torch import Tensor
from torch.nn.functional import conv1d, elu

from audiofix.ops import native
from audiofix.ops.convolution import ELU, TimeConvolution
from audiofix.ops.plane_scan_reference import plane_scan_reference
from audiofix.ops.selective_scan_reference import selective_scan_reference

_ROWS = 20
"""Rows in two groups: more than a block of rows, and not a multiple of any vector."""

_STEPS = {"cpu": 2 * native.TILES["cpu"] + 67, "cuda": 8 * native.TILES["cuda"] + 68}
"""More than two tiles, and on CUDA as many as are cut into parts. After the last whole tile: whole
vectors of every width, then a part of one; on CUDA rows begin where 16 bytes can be moved."""


def value_errors(device: torch.device) -> dict[str, float]:
    """Return the largest error of every operator's values, relative to the largest value."""
    # Autocast would round the reference to half precision.
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        tensors = _scan_case(device)
        expected = selective_scan_reference(**tensors, delta_softplus=True, reversed_groups=1)
        scan = native.Scan(**tensors, softplus=True, reversed_groups=1)
        errors = {"out": _difference(native.scan_forward(scan, keep=False)[0], expected)}
        if device.type == "cpu":
            errors |= {"planes": _plane_error(), "convolution": _convolution_error()}
        return errors


@torch.inference_mode(False)  # also when gradients are first wanted inside inference
def gradient_errors(device: torch.device) -> dict[str, float]:
    """Return the largest error of each gradient of the scan, relative to its largest value."""
    tensors = _scan_case(device)
    weight = torch.randn(tensors["u"].shape, generator=_generator()).to(device)
    with torch.enable_grad(), torch.autocast(device.type, enabled=False):
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
        expected = selective_scan_reference(**leaves, delta_softplus=True, reversed_groups=1)
        wanted = torch.autograd.grad(expected, list(leaves.values()), weight)
    scan = native.Scan(**tensors, softplus=True, reversed_groups=1)
    _, checkpoints = native.scan_forward(scan, keep=True)
    gradients = native.scan_backward(scan, weight, checkpoints)
    return {
        name: _difference(got, want)
        for name, got, want in zip(tensors, gradients, wanted, strict=True)
    }


def _scan_case(device: torch.device) -> dict[str, Tensor]:
    """Return a scan over more than two tiles, slow enough that states pass from tile to tile."""
    steps = _STEPS[device.type]
    shapes = {"u": (1, _ROWS, steps), "delta": (1, _ROWS, steps), "A": (_ROWS, 2)}
    shapes |= {"B": (1, 2, 2, steps), "C": (1, 2, 2, steps), "D": (_ROWS,), "delta_bias": (_ROWS,)}
    draw = _generator()
    tensors = {
        name: torch.randn(shape, generator=draw).to(device) for name, shape in shapes.items()
    }
    tensors["A"] = -0.01 * tensors["A"].exp()
    return tensors


def _plane_error() -> float:
    draw = _generator()
    shapes = [(1, 3, 21, 67), (1, 4, 6, 21, 67), (4, 3, 2), (4, 3), (4, 3, 2), (4, 3)]
    tensors = [torch.randn(shape, generator=draw) for shape in shapes]
    tensors[4] = -0.01 * tensors[4].exp()
    return _difference(
        native.plane_scan(tuple(tensors), state=2, rank=2), plane_scan_reference(*tensors)
    )


def _convolution_error() -> float:
    draw = _generator()
    weight, x, history = (
        torch.randn(shape, generator=draw) for shape in ((2, 35, 5, 3), (2, 41, 5), (2, 4, 5))
    )
    found, _ = TimeConvolution(weight, None, dilation=2)(x, history, ELU)
    window = elu(torch.cat([history, x], dim=1)).mT.flatten(0, 1)[None]
    wanted = conv1d(window, weight.flatten(0, 1), dilation=2, groups=2)
    return _difference(found, wanted.unflatten(1, (2, -1))[0].mT)


def _difference(got: Tensor, want: Tensor) -> float:
    error = float((got - want).abs().max() / want.abs().max())
    return error if error == error else float("inf")  # NaN compares as smaller than anything


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
