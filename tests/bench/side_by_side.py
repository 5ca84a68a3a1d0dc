"""How much two copies of `upsample` disturb each other: at most 2.2 times one is wanted.

    python tests/bench/side_by_side.py [--seconds 20] [--model envelope-48k] [--rounds 3]

Whole processes, start and all, with the default number of threads. Each round runs one copy alone
and then two at once; the ratio is the median over rounds. Only an otherwise idle machine can tell.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--model", default="envelope-48k")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sound = np.random.default_rng(0).standard_normal(round(RATE * options.seconds)) * 0.1
        soundfile.write(Path(folder, "in.wav"), sound.astype(np.float32), RATE)
        rounds = [
            [seconds(copies, Path(folder), options.model) for copies in (1, 2)]
            for _ in range(options.rounds)
        ]
    for one, two in rounds:
        print(f"one {one:6.2f} s, two at once {two:6.2f} s: {two / one:.2f}x")
    print(f"median {statistics.median(two / one for one, two in rounds):.2f}x")


def seconds(copies: int, folder: Path, model: str) -> float:
    """How long it takes until all of some copies, begun together, are done."""
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "audiofix", "upsample", "--to", "48k", "--model", model]
            + ["--overwrite", "-q", str(folder / "in.wav"), "-o", str(folder / f"{copy}.wav")]
        )
        for copy in range(copies)
    ]
    for process in running:
        if process.wait():
            raise SystemExit(f"upsample ended with status {process.returncode}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
