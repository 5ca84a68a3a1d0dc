"""How fast the selective scan is: compiled against plain torch, and against copying memory.

    python tests/bench/scan.py [--threads 2] [--device cpu] [--type float32] [--quick]

Every ratio is of times measured side by side in this run: each round measures the copy, the
compiled twin and the reference one after another, and the table shows the smallest of each. On a
CPU times are of the processor, all threads together, so that other programs disturb them less.
"""

import argparse
import os
import time
from collections.abc import Callable

import torch
from torch import Tensor

from audiofix.ops.selection import describe
from audiofix.ops.selective_scan import selective_scan

# batch, rows, groups, state, length. The first is the target's; the next six are VM-ASR's.
SHAPES = [
    (1, 128, 1, 1, 16384),
    (1, 8, 4, 1, 262144),
    (1, 64, 4, 1, 65536),
    (1, 128, 4, 1, 16384),
    (1, 256, 4, 1, 4096),
    (1, 512, 4, 1, 1024),
    (1, 1024, 4, 1, 256),
    (1, 128, 1, 16, 4096),
]
GPU_SHAPES = [*SHAPES, (8, 1536, 1, 1, 16384)]
COPIED = 256 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--type", default="float32", choices=["float32", "float16", "bfloat16"])
    parser.add_argument("--quick", action="store_true", help="leave the reference out")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{describe()}, {options.threads} threads, torch {torch.__version__}, {options.type}")
    print(
        f"{'batch rows groups state length':>32} {'':>8} {'ms':>9} {'ns/step':>8}"
        f" {'of copy':>8} {'reference':>10}"
    )
    for shape in GPU_SHAPES if options.device.startswith("cuda") else SHAPES:
        measure(shape, options)


def measure(shape: tuple[int, int, int, int, int], options: argparse.Namespace) -> None:
    """Print the two lines of one shape."""
    tensors = draw(shape, options.device, getattr(torch, options.type))
    weight = torch.randn_like(tensors["u"])
    source = torch.ones(COPIED // 8, device=options.device)
    target = torch.empty_like(source)
    os.environ["AUDIOFIX_SCAN"] = "native"
    native = selective_scan(**tensors, delta_softplus=True)
    work: dict[str, Callable[[], object]] = {
        "copy": lambda: target.copy_(source),
        "forward": lambda: forward("native", tensors),
        "backward": lambda: backward(native, tensors, weight),
    }
    if not options.quick:
        os.environ["AUDIOFIX_SCAN"] = "reference"
        plain = selective_scan(**tensors, delta_softplus=True)
        work["plain forward"] = lambda: forward("reference", tensors)
        work["plain backward"] = lambda: backward(plain, tensors, weight)
    best = {name: float("inf") for name in work}
    for round_number in range(options.rounds + 1):
        for name, function in work.items():
            taken = seconds(function, options.device)
            if round_number:  # the first warms up
                best[name] = min(best[name], taken)
    batch, rows, groups, state, length = shape
    width = tensors["u"].element_size()
    shared = 2 * batch * groups * state * length * width
    moved = {
        "forward": 3 * batch * rows * length * width + shared,
        "backward": 5 * batch * rows * length * width + 2 * shared,
    }
    for name, size in moved.items():
        of_copy = size / best[name] / (COPIED / best["copy"])
        ratio = best.get(f"plain {name}", 0) / best[name]
        print(
            f"{shape!s:>32} {name:>8} {best[name] * 1e3:9.3f}"
            f" {best[name] / (batch * rows * length) * 1e9:8.2f} {of_copy:7.0%}"
            f" {f'{ratio:.1f}x' if ratio else '':>10}",
            flush=True,
        )


def draw(
    shape: tuple[int, int, int, int, int], device: str, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The arguments of a scan, like those of a trained network: steps well below one."""
    batch, rows, groups, state, length = shape
    torch.manual_seed(0)
    tensors = {
        "u": torch.randn(batch, rows, length, dtype=dtype),
        "delta": (torch.randn(batch, rows, length) - 3).to(dtype),
        "A": -torch.rand(rows, state) * state - 0.5,
        "B": torch.randn(batch, groups, state, length, dtype=dtype),
        "C": torch.randn(batch, groups, state, length, dtype=dtype),
        "D": torch.ones(rows),
        "delta_bias": torch.zeros(rows),
    }
    return {name: tensor.to(device).requires_grad_() for name, tensor in tensors.items()}


def forward(which: str, tensors: dict[str, Tensor]) -> None:
    os.environ["AUDIOFIX_SCAN"] = which
    with torch.no_grad():
        selective_scan(**tensors, delta_softplus=True)


def backward(out: Tensor, tensors: dict[str, Tensor], weight: Tensor) -> None:
    torch.autograd.grad(out, list(tensors.values()), weight, retain_graph=True)


def seconds(function: Callable[[], object], device: str) -> float:
    """How long one call takes: of the processor, or of a device with its queue."""
    on_device = device.startswith("cuda")
    clock = time.perf_counter if on_device else time.process_time
    start = clock()
    function()
    if on_device:
        torch.cuda.synchronize()
    return clock() - start


if __name__ == "__main__":
    main()
