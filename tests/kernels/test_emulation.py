"""The CUDA kernels compiled for the CPU: their arithmetic, barriers and bounds where no GPU is.

`emulation/cuda_runtime.h` says how. Arrays end at pages that nobody may touch, so an access past an
end ends the process: it runs in one of its own.
"""

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from audiofix.ops import native, structures
from audiofix.ops.selective_scan_reference import selective_scan_reference

HERE = Path(__file__).parent
KERNELS = HERE.parents[1] / "kernels"
LAUNCH = re.compile(
    r"(\w+(?:<[\w, ]+>)?)\s*<<<(.+?), ([\w, ]+?), 0, \w+>>>\s*\((.+?)\);", re.DOTALL
)
SHARED = re.compile(r"__shared__ (.+?) (\w+)(\[\w+\])?;")
COMPILER = shutil.which("g++")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KERNELS.exists(), reason="no source tree here"),
    pytest.mark.skipif(not COMPILER, reason="no g++"),
]

NAMES = ("u", "delta", "A", "B", "C", "D", "delta_bias")
TYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}
TOLERANCES = {torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
"""Of the largest value: the rounding of each type."""

# batch, channels, groups, state, length, reversed groups: every block size, ends inside and at the
# edge of items, warps and tiles, rows that share gradients and rows that do not, rows that share a
# block and rows that are cut into parts.
SHAPES = [
    (1, 1, 1, 1, 1, 0),
    (1, 2, 2, 1, 8, 1),
    (2, 3, 1, 2, 255, 0),
    (1, 4, 2, 1, 257, 1),
    (1, 2, 1, 3, 1024, 1),
    (2, 2, 2, 1, 1025, 1),
    (1, 5, 1, 1, 2049, 0),
    (1, 2, 1, 2, 4100, 1),
    (2, 5, 1, 2, 96, 1),
    (1, 2, 2, 2, 16384, 1),
    (1, 2, 1, 1, 24580, 0),
]


def emulated(text: str) -> str:
    """Turn launches and shared memory into calls of the emulator."""
    text = SHARED.sub(r"auto &\2 = emulated::shared<__LINE__, \1\3>();", text)
    turned, count = LAUNCH.subn(r"emulated::launch(\2, \3, [=, *this] { \1(\4); });", text)
    assert count == text.count("<<<")
    return turned.replace("[=, *this] { add_parts(", "[=] { add_parts(")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emulation")
    sources = [HERE / "emulation" / "guard.cpp"]
    for path in sorted((KERNELS / "selective_scan").glob("*.cu")):
        sources.append(folder / f"{path.stem}.cpp")
        sources[-1].write_text(emulated(path.read_text()))
    found = folder / "libemulated.so"
    includes = [HERE / "emulation", KERNELS / "selective_scan", KERNELS / "include"]
    command = [COMPILER, "-std=c++17", "-O1", "-fPIC", "-shared", "-w", "-o", found, *sources]
    command += [word for folder in includes for word in ("-I", folder)]
    subprocess.run([str(word) for word in command], check=True)
    return found


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_cuda_kernels_equal_plain_torch(library: Path, dtype: torch.dtype) -> None:
    shapes = SHAPES if dtype is torch.float32 else SHAPES[2:4]
    command = [sys.executable, __file__, str(library), str(dtype).removeprefix("torch.")]
    done = subprocess.run(
        command + [",".join(map(str, shape)) for shape in shapes], capture_output=True, text=True
    )
    assert done.returncode == 0, f"ended by {done.returncode}: {done.stdout}{done.stderr}"
    assert done.stdout.count("right") == len(shapes), done.stdout


def test_the_workspace_of_the_backward_pass_is_bounded(library: Path) -> None:
    loaded = ctypes.CDLL(str(library))
    loaded.afx_selective_scan_workspace_cuda.restype = ctypes.c_int64

    def gigabytes(channels: int, state: int, length: int) -> float:
        shape = structures.ScanShape(1, channels, length, state, 1, 0)
        return loaded.afx_selective_scan_workspace_cuda(shape) * 4 / 2**30

    assert gigabytes(528, 16, 262144) < 1.01
    assert gigabytes(528, 1, 1024) > 0.004  # short rows: every row adds its own part


def guarded(library: ctypes.CDLL, like: torch.Tensor | None) -> torch.Tensor | None:
    """Return a copy whose end is the end of what may be touched."""
    if like is None:
        return None
    size = max(1, like.numel()) * like.element_size()
    place = library.emulated_guarded(ctypes.c_size_t(size))
    memory = (ctypes.c_char * size).from_address(place)
    copy = torch.frombuffer(memory, dtype=like.dtype, count=like.numel()).view(like.shape)
    return copy.copy_(like)


def compare(library: ctypes.CDLL, shape: tuple[int, ...], dtype: torch.dtype) -> str:
    """Return `right`, or what is wrong with the values or a gradient."""
    batch, channels, groups, state, length, reversed_groups = shape
    draw = torch.Generator().manual_seed(length)

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=draw)

    # States of long rows last from one part to the next, or faults in what enters a part would die.
    slowness = 1 if length < 8192 else 200
    exact = {
        "u": normal(batch, channels, length).to(dtype),
        "delta": (normal(batch, channels, length) - 2).to(dtype),
        "A": -normal(channels, state).exp() / slowness,
        "B": normal(batch, groups, state, length).to(dtype),
        "C": normal(batch, groups, state, length).to(dtype),
        "D": normal(channels),
        "delta_bias": normal(channels),
    }
    weight = normal(batch, channels, length).to(dtype)
    leaves = {name: tensor.double().requires_grad_() for name, tensor in exact.items()}
    wanted = selective_scan_reference(
        **leaves, delta_softplus=True, reversed_groups=reversed_groups
    )
    gradients = torch.autograd.grad(wanted, list(leaves.values()), weight.double())

    tensors = {name: guarded(library, tensor) for name, tensor in exact.items()}
    inputs = structures.ScanInputs(
        *(tensor.data_ptr() for tensor in tensors.values()), 1, TYPES[dtype]
    )
    sizes = structures.ScanShape(batch, channels, length, state, groups, reversed_groups)
    tiles = -(-length // native.TILES["cuda"])
    nothing = float("nan")
    out = guarded(library, torch.full((batch, channels, length), nothing, dtype=dtype))
    checkpoints = guarded(library, torch.full((batch, channels, tiles, state), nothing))
    library.afx_selective_scan_forward_workspace_cuda.restype = ctypes.c_int64
    floats = library.afx_selective_scan_forward_workspace_cuda(sizes)
    maps = guarded(library, torch.full((max(1, floats),), nothing))
    pointers = [ctypes.c_void_p(t.data_ptr()) for t in (out, checkpoints, maps)]
    assert not library.afx_selective_scan_forward_cuda(ctypes.byref(inputs), *pointers, sizes, None)
    found = {"out": (out, wanted.detach())}

    library.afx_selective_scan_workspace_cuda.restype = ctypes.c_int64
    workspace = guarded(
        library, torch.full((library.afx_selective_scan_workspace_cuda(sizes),), nothing)
    )
    to = {
        name: guarded(library, torch.full_like(tensor, nothing, dtype=torch.float32))
        if name not in ("u", "delta")
        else guarded(library, torch.full_like(tensor, nothing))
        for name, tensor in exact.items()
    }
    assert not library.afx_selective_scan_backward_cuda(
        ctypes.byref(inputs),
        ctypes.c_void_p(guarded(library, weight).data_ptr()),
        pointers[1],
        ctypes.byref(structures.ScanGradients(*(tensor.data_ptr() for tensor in to.values()))),
        ctypes.c_void_p(workspace.data_ptr()),
        sizes,
        None,
    )
    found |= {name: (to[name], want.detach()) for name, want in zip(NAMES, gradients, strict=True)}
    for name, (got, want) in found.items():
        error, largest = float((got.double() - want).abs().max()), float(want.abs().max())
        if not error <= TOLERANCES[dtype] * largest:
            return f"{name} differs by {error:.1e}, its largest value is {largest:.1e}"
    return "right"


if __name__ == "__main__":
    loaded = ctypes.CDLL(sys.argv[1])
    loaded.emulated_guarded.restype = ctypes.c_void_p
    for words in sys.argv[3:]:
        shape = tuple(map(int, words.split(",")))
        print(shape, compare(loaded, shape, getattr(torch, sys.argv[2])))
