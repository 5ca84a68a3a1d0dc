"""How fast `decode-restore` is, beside the published way, and that its memory is flat.

    python tests/bench/restore.py [--model NAME|released] [--threads 2] [--seconds 3]
        [--precision auto] [--rounds 2]

`released` is the released configuration (256 features, 6 blocks) with random weights: its speed
does not depend on them. The published way is the whole sound at once, channels first, in plain
torch (`tests/plain_apollo.py`) with the same weights. Both are measured in turns, in this run, on
stereo sound; of the rounds the fastest counts.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import plain_apollo

from audiofix.audio.format import AudioFormat
from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.apollo.restore import ApolloRestorer
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import DecodeRestoreRequest

RATE = 44100
MEMORY_SECONDS = (30, 120, 480)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="released")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--memory", action="store_true", help="measure memory, not speed")
    parser.add_argument("--peak", type=float, help=argparse.SUPPRESS)  # one row of that table
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.peak:
        run(restorer_of(options), options.peak)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    elif options.memory:
        memory(options)
    else:
        speed(options)


def restorer_of(options: argparse.Namespace) -> ApolloRestorer:
    placement = place("cpu", options.precision)
    if options.model != "released":
        return load("decode-restore", options.model, placement)
    torch.manual_seed(0)
    network = Apollo(ApolloConfig()).eval().requires_grad_(False)
    return ApolloRestorer("released", network, placement)


def run(restorer: ApolloRestorer, seconds: float) -> np.ndarray:
    """Restore noise, block by block, and return the last of it."""
    stage = restorer.stage(AudioFormat(RATE, 2), DecodeRestoreRequest(edges="published"))
    rng = np.random.default_rng(0)
    for _ in range(round(10 * seconds)):
        stage.push((0.1 * rng.standard_normal((2, RATE // 10))).astype(np.float32))
    return stage.flush()


def speed(options: argparse.Namespace) -> None:
    restorer = restorer_of(options)
    config = restorer.network.config
    size = f"{config.feature_dim} x {config.layer}"
    print(f"{options.threads} threads, torch {torch.__version__}, {size}, {options.precision}")
    x = 0.1 * torch.randn(1, 2, round(options.seconds * RATE))
    ways = {"audiofix": lambda: run(restorer, options.seconds)}
    if not config.residual:
        ways["published way"] = lambda: plain_apollo.forward(restorer.network, x)
    best = dict.fromkeys(ways, (np.inf, np.inf))
    with torch.inference_mode():
        for _ in range(options.rounds):
            for name, way in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                way()
                taken = time.perf_counter() - wall, time.process_time() - cpu
                best[name] = tuple(map(min, best[name], taken))
    for name, (wall, cpu) in best.items():
        print(
            f"{name:14} {wall:7.2f} s wall, {cpu:7.2f} s of the processor, for "
            f"{options.seconds:g} s of stereo: real-time factor {wall / options.seconds:.2f}"
        )
    if len(best) == 2:
        ratios = [slow / fast for fast, slow in zip(*best.values(), strict=True)]
        print(f"times faster   {ratios[0]:7.2f} by the clock, {ratios[1]:.2f} by the processor")


def memory(options: argparse.Namespace) -> None:
    for seconds in MEMORY_SECONDS:
        words = [__file__, "--model", options.model, "--threads", str(options.threads)]
        words += ["--peak", str(seconds)]
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
        print(f"{seconds:5} s of stereo: peak {done.stdout.strip()} MB")


if __name__ == "__main__":
    main()
