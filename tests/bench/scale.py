"""What a huge batch costs: the models that ship, the list, the journal, the shards, Ray's driver.

    python tests/bench/scale.py [--rows 1000000] [--ray-tasks 500]

Prints seconds of this process's CPU time, of one thread, which a busy machine changes less than
those of a clock.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

import audiofix

sys.path.insert(0, str(Path(__file__).parent.parent))
from slow_effect import Slow  # noqa: E402  # beside the tests

from audiofix.jobs.attempt import Made, Outcome  # noqa: E402
from audiofix.jobs.cluster import Needs, ray_outcomes  # noqa: E402
from audiofix.jobs.job import IOOptions, Job  # noqa: E402
from audiofix.jobs.journal import Journal  # noqa: E402
from audiofix.jobs.listing import manifest_jobs, shard_of  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ray-tasks", type=int, default=500)
    options = parser.parse_args()
    measure_sound()
    with tempfile.TemporaryDirectory() as name:
        measure_lists(Path(name), options.rows)
        if options.ray_tasks:
            measure_ray(Path(name), options.ray_tasks)


def measure_sound() -> None:
    """Print what a second of sound costs, the model loaded: the least and the median of five."""
    torch.set_num_threads(1)
    speech = Path(__file__).parent.parent / "demo" / "speech16k.flac"
    sound, rate = soundfile.read(speech, dtype="float32")
    sound = np.resize(sound, 20 * rate)[None]

    def upsample() -> None:
        stage = audiofix.open_stage("upsample", rate=rate, channels=1, to=48000)
        for start in range(0, sound.shape[1], rate // 4):
            stage.push(sound[:, start : start + rate // 4])
        stage.flush()

    works: dict[str, Callable[[], object]] = {
        "upsample to 48 kHz": upsample,
        "encode": lambda: audiofix.encode(sound, rate),
    }
    for name, work in works.items():
        work()  # loads the model
        seconds = []
        for _ in range(5):
            start = time.process_time()
            work()
            seconds.append((time.process_time() - start) / 20)
        seconds.sort()
        print(f"{name}: {seconds[0]:.4f}, median {seconds[2]:.4f} s a second of sound, 16 kHz in")


def measure_lists(folder: Path, rows: int) -> None:
    manifest = folder / "files.csv"
    names = (f"{number % 1000:03d}/{number}.flac" for number in range(rows))
    manifest.write_text("\n".join(["input", *names]) + "\n")
    start = time.process_time()
    jobs = manifest_jobs(manifest, folder / "out", None)
    told(f"reading a manifest of {rows:,} rows", start)
    start = time.process_time()
    with Journal(folder / "out") as journal:
        for job in jobs:
            journal.record(Outcome(job, made=Made(1, "0" * 64)))
    told(f"writing {rows:,} lines of the journal", start)
    start = time.process_time()
    with Journal(folder / "out") as journal:
        assert journal.pending(jobs) == []
    told(f"going on after {rows:,} finished files", start)
    start = time.process_time()
    shard_of(jobs, (3, 16))
    told("choosing a shard", start)


def measure_ray(folder: Path, tasks: int) -> None:
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)  # workers know the effect
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    jobs = []
    for number in range(tasks):
        (folder / f"{number}.in").write_text("x")
        jobs.append(Job(str(number), folder / f"{number}.in", folder / f"{number}.out"))
    outcomes = ray_outcomes(jobs, Slow(0.0), IOOptions(), cluster.address, Needs(1, "cpu"))
    next(outcomes)  # workers have started
    start = time.process_time()
    failed = sum(outcome.failure is not None for outcome in outcomes)
    milliseconds = 1000 * (time.process_time() - start) / (tasks - 1)
    print(f"{tasks - 1} empty Ray tasks: {milliseconds:.2f} ms each for who submits and collects")
    assert not failed
    cluster.shutdown()


def told(what: str, start: float) -> None:
    print(f"{what}: {time.process_time() - start:.2f} s")


if __name__ == "__main__":
    main()
