"""A batch on 1,000 machines, on paper: what the scheduler, lost machines and retries cost.

    python tests/bench/nodes.py [--nodes 1000] [--hours 100000] [--tasks-a-second 500]

A discrete-event simulation of what `jobs/cluster.py` does: tasks go to free slots, no faster than
one process submits them; machines are lost at random and come back; what they held is done again.
"""

import argparse
import heapq
from bisect import bisect
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cluster:
    nodes: int
    slots: int
    tasks_a_second: float
    """What one process submits and collects."""
    months_between_losses: float
    """Of one machine."""
    minutes_to_come_back: float = 10.0


@dataclass(frozen=True)
class Work:
    hours: float
    minutes_a_file: float
    times_real_time: float


@dataclass
class Found:
    hours: float = 0.0
    busy: float = 0.0
    lost_nodes: int = 0
    redone: int = 0
    most_tries: int = 1


def simulated(cluster: Cluster, work: Work, seed: int = 0) -> Found:
    """Run the batch to its end, from one free slot to the next."""
    rng = np.random.default_rng(seed)
    count = int(work.hours * 60 / work.minutes_a_file)
    # Files differ.
    lengths = rng.gamma(4, work.minutes_a_file * 60 / work.times_real_time / 4, 2 * count).tolist()
    losses = _losses(cluster, rng)
    down = 60 * cluster.minutes_to_come_back
    free = [(0.0, node) for node in range(cluster.nodes) for _ in range(cluster.slots)]
    again: list[int] = []
    found, started, now, worked, last = Found(), 0, 0.0, 0.0, 0.0
    while started < count or again:
        free_at, node = heapq.heappop(free)
        place = bisect(losses[node], free_at - down)
        if losses[node][place] <= free_at:  # not there at present
            heapq.heappush(free, (losses[node][place] + down + 1, node))
            continue
        now = max(now + 1 / cluster.tasks_a_second, free_at)
        tries = again.pop() if again else 1
        started += tries == 1
        end, lost = now + lengths.pop(), losses[node][place]
        if end < lost:
            worked, last = worked + end - now, max(last, end)
            heapq.heappush(free, (end, node))
        else:
            again.append(tries + 1)
            found.redone, found.most_tries = found.redone + 1, max(found.most_tries, tries + 1)
            heapq.heappush(free, (lost + down + 1, node))
    found.hours = last / 3600
    found.busy = worked / (last * cluster.nodes * cluster.slots)
    found.lost_nodes = sum(bisect(one, last) for one in losses)
    return found


def _losses(cluster: Cluster, rng: np.random.Generator) -> list[list[float]]:
    """Return when each node is lost, the next hundred times."""
    mean = cluster.months_between_losses * 30 * 86400
    return [np.cumsum(rng.exponential(mean, 100)).tolist() for _ in range(cluster.nodes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--hours", type=float, default=100_000)
    parser.add_argument("--minutes-a-file", type=float, default=5)
    parser.add_argument("--times-real-time", type=float, default=15)
    parser.add_argument("--months-between-losses", type=float, default=1)
    parser.add_argument("--tasks-a-second", type=float, nargs="+", default=[100, 500, 2000])
    given = parser.parse_args()
    work = Work(given.hours, given.minutes_a_file, given.times_real_time)
    for speed in given.tasks_a_second:
        cluster = Cluster(given.nodes, given.slots, speed, given.months_between_losses)
        found = simulated(cluster, work)
        print(
            f"{speed:g} tasks a second: {found.hours:.2f} h, slots {100 * found.busy:.0f} % busy, "
            f"{found.lost_nodes} machines lost, {found.redone} tasks done again, "
            f"none more than {found.most_tries} times"
        )


if __name__ == "__main__":
    main()
