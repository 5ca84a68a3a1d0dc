"""Compile the kernel libraries with the compilers that are there; the standard library only.

By hand: `python kernels/build.py FOLDER` puts libaudiofix_cpu.so, and libaudiofix_cuda.so where
nvcc exists, into FOLDER. setup.py calls the same functions.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KERNELS = Path(__file__).resolve().parent
CPU_LIBRARY = "libaudiofix_cpu.so"
CUDA_LIBRARY = "libaudiofix_cuda.so"

# folder: what is compiled once for every instruction level, as cpu_PART.cpp; beside its cpu.cpp
CPU_PARTS = {"selective_scan": ("rows", "plane", "block"), "convolution": ("time",)}

# name: floats side by side, and the flags that let the compiler use them
LEVELS: dict[str, tuple[int, list[str]]] = {"baseline": (4, [])}
if platform.machine().lower() in ("x86_64", "amd64"):
    LEVELS |= {
        "avx2": (8, ["-mavx2", "-mfma"]),
        "avx512": (16, ["-mavx512f", "-mavx512dq", "-mprefer-vector-width=512"]),
    }
# Of products in bfloat16 on Intel's matrix units, at the highest level; old compilers lack them.
MATRIX_FLAGS = ["-mamx-tile", "-mamx-bf16", "-mavx512bf16"]
# -Wno-*uninitialized: GCC 12's own AVX-512 header trips them.
# -fno-math-errno and -fno-trapping-math free the vectoriser; NaN, infinity and order of sums stay.
CPU_FLAGS = [
    *("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden", "-fopenmp", "-Wall", "-Wextra"),
    *("-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-Wno-ignored-attributes"),
    *("-Wno-maybe-uninitialized", "-Wno-uninitialized"),
]
CUDA_FLAGS = [
    *("-std=c++17", "-O3", "-Xcompiler", "-fPIC,-fvisibility=hidden", "--threads", "2"),
    *("-gencode", "arch=compute_80,code=sm_80", "-gencode", "arch=compute_90,code=sm_90"),
    *("-gencode", "arch=compute_90,code=compute_90", "-cudart", "static"),
]


def cpu_compiler() -> str | None:
    """Return the C++ compiler: $CXX, or the first that is on the path."""
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        if name and (found := shutil.which(name)):
            return found
    return None


def cuda_compiler() -> str | None:
    """Return nvcc, or None where it is missing or AUDIOFIX_CUDA=0.

    Raises:
        FileNotFoundError: AUDIOFIX_CUDA=1 and there is no nvcc.
        ValueError: AUDIOFIX_CUDA is neither 0 nor 1.
    """
    wish = os.environ.get("AUDIOFIX_CUDA", "")
    if wish not in ("", "0", "1"):
        raise ValueError(f"AUDIOFIX_CUDA={wish}: set it to 0 or 1, or not at all")
    found = None if wish == "0" else shutil.which("nvcc")
    if wish == "1" and found is None:
        raise FileNotFoundError("AUDIOFIX_CUDA=1, but nvcc is not on the path")
    return found


def build_cpu(library: Path) -> None:
    """Compile the CPU twin, each instruction level as its own unit."""
    compiler = _found(cpu_compiler())
    include = ["-I", str(KERNELS / "include")]
    with tempfile.TemporaryDirectory() as scratch:
        units = {folder: [str(KERNELS / folder / "cpu.cpp")] for folder in CPU_PARTS}
        if "avx512" in LEVELS and _takes(compiler, MATRIX_FLAGS):
            units["selective_scan"].append("-DAFX_HAS_MATRIX")
            width, flags = LEVELS["avx512"]
            names = ["-DAFX_LEVEL=matrix", f"-DAFX_WIDTH={width}", "-DAFX_MATRIX"]
            source = str(KERNELS / "selective_scan" / "cpu_block.cpp")
            units["block_matrix"] = [source, *names, *flags, *MATRIX_FLAGS]
        for name, (width, flags) in LEVELS.items():
            names = [f"-DAFX_LEVEL={name}", f"-DAFX_WIDTH={width}"]
            for folder, parts in CPU_PARTS.items():
                for part in parts:
                    source = str(KERNELS / folder / f"cpu_{part}.cpp")
                    units[f"{part}_{name}"] = [source, *names, *flags]
        objects = {name: str(Path(scratch, f"{name}.o")) for name in units}
        for name, unit in units.items():
            _run([compiler, *CPU_FLAGS, *include, "-c", *unit, "-o", objects[name]])
        _link(library, [compiler, "-shared", "-fopenmp", *objects.values()])


def build_cuda(library: Path) -> None:
    """Compile the CUDA twin for sm_80, sm_90 and later devices through PTX."""
    compiler = _found(cuda_compiler())
    sources = [str(path) for path in sorted((KERNELS / "selective_scan").glob("*.cu"))]
    include = ["-I", str(KERNELS / "include")]
    _link(library, [compiler, *CUDA_FLAGS, *include, "-shared", *sources])


BUILDERS = {CPU_LIBRARY: build_cpu, CUDA_LIBRARY: build_cuda}


def libraries() -> list[str]:
    """Return the libraries that there is a compiler for, and say which are left out."""
    compilers = {CPU_LIBRARY: cpu_compiler(), CUDA_LIBRARY: cuda_compiler()}
    for name, compiler in compilers.items():
        if compiler is None:
            print(f"audiofix: {name} is left out: no compiler for it", file=sys.stderr)
    return [name for name, compiler in compilers.items() if compiler]


def _link(library: Path, command: list[str]) -> None:
    """Link beside the target and rename, so that a process never loads half a library."""
    part = library.with_suffix(f".{os.getpid()}.part")
    _run([*command, "-o", str(part)])
    part.replace(library)


def _found(compiler: str | None) -> str:
    if compiler is None:
        raise FileNotFoundError("no compiler")
    return compiler


def _takes(compiler: str, flags: list[str]) -> bool:
    """Return whether a compiler for Linux knows the flags."""
    trial = [compiler, *flags, "-x", "c++", "-E", os.devnull, "-o", os.devnull]
    return sys.platform == "linux" and subprocess.run(trial, capture_output=True).returncode == 0


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in libraries():
        BUILDERS[name](folder / name)
        print(folder / name)
