"""How fast, how large and how late `upsample` is.

    python tests/bench/upsample.py [--model NAME|released] [--threads 2] [--seconds 20]
        [--device auto] [--precision auto]

`released` is the released 48 kHz configuration with random weights: its speed does not depend on
them. Every rate is measured natively and with `AUDIOFIX_SCAN=reference` in turns, in this run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import audiofix
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.weights import Checkpoint, save_checkpoint
from audiofix.streaming.run import TOGETHER as FILE_LATENCIES

RATES = (8000, 12000, 16000, 24000, 44100)
BLOCK_SECONDS = 0.1
MEMORY_SECONDS = (30, 120, 480)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="released")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory table out")
    parser.add_argument("--peak", type=float, help=argparse.SUPPRESS)  # one row of that table
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        if options.model == "released":
            options.model = str(random_model(Path(folder)))
        if options.peak:
            run(16000, options.peak, options)
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
            return
        print(f"{options.threads} threads, torch {torch.__version__}, {options.device}")
        speed(options)
        if not options.no_memory:
            memory(options)


def random_model(folder: Path) -> Path:
    """Write the released architecture with random weights and return its file."""
    torch.manual_seed(0)
    path = folder / "released.safetensors"
    settings = {**asdict(VMASRConfig()), "rate": 48000, "filled": False}
    tensors = VMASR(VMASRConfig()).state_dict()
    save_checkpoint(path, Checkpoint("released", "vmasr", settings, tensors, str(path)))
    return path


def speed(options: argparse.Namespace) -> None:
    """Print seconds of sound per second, and how late the first sample comes."""
    print(
        f"{'rate':>6} {'real time':>10} {'plain torch':>12} {'ratio':>6} {'first sample after':>20}"
    )
    for rate in RATES:
        best = {"native": 0.0, "reference": 0.0}
        for _ in range(options.rounds):
            for scan in best:
                os.environ["AUDIOFIX_SCAN"] = scan
                taken, _ = run(rate, options.seconds, options)
                best[scan] = max(best[scan], options.seconds / taken)
        _, heard = run(rate, 10, options, live=True)
        print(
            f"{rate:>6} {best['native']:>9.1f}x {best['reference']:>11.1f}x"
            f" {best['native'] / best['reference']:>6.2f} {heard:>18.2f} s"
        )


def run(
    rate: int, seconds: float, options: argparse.Namespace, live: bool = False
) -> tuple[float, float]:
    """Return how long a stream takes, and the seconds of input before its first sample.

    Pushed in the blocks of a file, several windows long, or with `live` of `BLOCK_SECONDS`.
    """
    stage = audiofix.open_stage(
        "upsample", rate=rate, channels=1, to=48000, model=options.model,
        device=options.device, precision=options.precision,
    )  # fmt: skip
    sound = np.random.default_rng(0).standard_normal((1, round(rate * seconds)), np.float32) * 0.1
    block = round(BLOCK_SECONDS * rate) if live else FILE_LATENCIES * stage.latency
    heard, pushed = None, 0
    start = time.perf_counter()
    for at in range(0, sound.shape[1], block):
        out = stage.push(sound[:, at : at + block])
        pushed = min(at + block, sound.shape[1])
        if heard is None and out.shape[1]:
            heard = pushed / rate
    stage.flush()
    return time.perf_counter() - start, heard or seconds


def memory(options: argparse.Namespace) -> None:
    """Print the peak memory of streams of several lengths, each in its own process."""
    os.environ["AUDIOFIX_SCAN"] = "native"
    print(f"{'seconds':>8} {'peak MB':>8}")
    for seconds in MEMORY_SECONDS:
        command = [sys.executable, __file__, "--peak", str(seconds), "--model", options.model]
        command += ["--threads", str(options.threads), "--device", options.device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{seconds:>8} {done.stdout.strip():>8}")


if __name__ == "__main__":
    main()
