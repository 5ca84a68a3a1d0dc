"""What the scheduling of a huge batch costs: the list, the journal, the shards, Ray.

    python tests/bench/scale.py [--rows 1000000] [--ray-tasks 2000]

Prints the seconds of this process's CPU time, so that a busy machine does not change them; for Ray,
where other processes work too, the seconds of a clock.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

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
    parser.add_argument("--ray-tasks", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure_lists(Path(name), options.rows)
        if options.ray_tasks:
            measure_ray(Path(name), options.ray_tasks)


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

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    jobs = []
    for number in range(tasks):
        (folder / f"{number}.in").write_text("x")
        jobs.append(Job(str(number), folder / f"{number}.in", folder / f"{number}.out"))
    outcomes = ray_outcomes(jobs, Slow(0.0), IOOptions(), cluster.address, Needs(1, "cpu"))
    next(outcomes)  # workers have started
    start = time.monotonic()
    failed = sum(outcome.failure is not None for outcome in outcomes)
    seconds = time.monotonic() - start
    rate = (tasks - 1) / seconds
    print(f"{tasks - 1} empty Ray tasks: {seconds:.1f} s, {rate:.0f} tasks a second")
    assert not failed
    cluster.shutdown()


def told(what: str, start: float) -> None:
    print(f"{what}: {time.process_time() - start:.2f} s")


if __name__ == "__main__":
    main()
