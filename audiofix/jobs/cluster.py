"""The jobs of a batch as tasks of a Ray cluster, for those who have one.

The cluster's machines need audiofix, and the same folders under the same names: a task works in the
folder where the command was given, so that every relative path means the same.
"""

import functools
import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from audiofix.errors import DeviceError, UsageError
from audiofix.exit_status import ExitStatus
from audiofix.jobs.attempt import Outcome, attempt
from audiofix.jobs.failures import Failure, failure_of, one_line
from audiofix.jobs.fragment import is_done
from audiofix.jobs.job import Effect, IOOptions, Job
from audiofix.jobs.windows import Compute

_TASKS_PER_SLOT = 3
"""Submitted at once: enough that no slot waits for the next task, however many jobs there are."""

_POLL_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_SIZE_SECONDS = 10.0
"""How often the size of the cluster is asked for."""

_ATTEMPTS = 4
"""Of a job whose process or machine is lost."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the command was given, as a task must know it on another machine.

    Attributes:
        folder: the working folder.
        environment: the variables that begin with `AUDIOFIX_`.
    """

    folder: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Needs:
    """What one task uses.

    Attributes:
        threads: of the CPU.
        device: as the user gave it.
    """

    threads: int
    device: str

    def options(self, resources: Mapping[str, float]) -> dict[str, float]:
        """Return Ray's options for a task in a cluster with these resources."""
        wants_gpu = self.device.startswith("cuda")
        wants_gpu = wants_gpu or (self.device == "auto" and resources.get("GPU", 0) >= 1)
        return {"num_cpus": self.threads, "num_gpus": int(wants_gpu)}

    def slots(self, resources: Mapping[str, float]) -> int:
        """Return how many tasks can run at once, at least 1."""
        options = self.options(resources)
        slots = resources.get("CPU", 1) // options["num_cpus"]
        if options["num_gpus"]:
            slots = min(slots, resources.get("GPU", 0))
        return max(1, int(slots))


def ray_outcomes(
    todo: list[Job], effect: Effect, io: IOOptions, address: str, needs: Needs
) -> Iterator[Outcome]:
    """Yield the outcome of each job as it comes.

    A job whose process or machine is lost is tried again elsewhere.

    Raises:
        UsageError: the ray package is not installed, or a GPU is named by number.
        DeviceError: the cluster cannot be reached, or has no GPU where one is asked for.
    """
    ray = _connected(address, needs)
    return _gather(ray, deque((job, 1) for job in todo), effect, io, needs)


@contextmanager
def ray_windows(effect: Effect, address: str, needs: Needs) -> Iterator[tuple[Compute, int]]:
    """Yield what computes windows as tasks of a cluster, see `windows`, and how many at once.

    Raises:
        UsageError: see `ray_outcomes`.
        DeviceError: see there; or tasks are lost again and again.
    """
    ray = _connected(address, needs)
    try:
        resources = ray.cluster_resources()
        # A window is computed, and nothing written: Ray may try it again.
        task = ray.remote(_computed).options(max_retries=_ATTEMPTS - 1, **needs.options(resources))
        shared = ray.put((effect, _place()))

        def compute(windows: Sequence[Any]) -> Sequence[Any]:
            try:
                return list(ray.get([task.remote(shared, window) for window in windows]))
            except ray.exceptions.RayError as error:
                raise DeviceError(f"ray {address}: {failure_of(error).message}") from error

        yield compute, needs.slots(resources)
    finally:
        ray.shutdown()


def _computed(shared: tuple[Effect, Place], window: Any) -> Any:
    """Compute one window in a Ray worker."""
    effect, place = shared
    _settle(place.folder, tuple(sorted(place.environment.items())))
    (result,) = _loaded(effect).compute([window])
    return result


def _connected(address: str, needs: Needs) -> Any:
    """Return the ray module, connected to the cluster."""
    if find_spec("ray") is None:
        raise UsageError("--ray: the ray package is not here: pip install ray, or use --jobs")
    if needs.device.startswith("cuda:"):
        raise UsageError(f"--device {needs.device}: Ray chooses the GPU: use --device cuda")
    _check_address(address)
    ray: Any = import_module("ray")
    # Every machine has its own; Ray would otherwise copy the working folder to all of them.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="critical")
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = one_line(str(error)).split(". ")[0]
        raise DeviceError(f"ray {address}: {reason}: start a cluster, or use --jobs") from error
    if needs.device.startswith("cuda") and not ray.cluster_resources().get("GPU"):
        ray.shutdown()
        raise DeviceError(f"ray {address}: has no GPU: use --device cpu")
    return ray


def _check_address(address: str) -> None:
    """Refuse an address where nobody listens; Ray would wait for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        except OSError as error:
            reason = error.strerror or str(error)
            raise DeviceError(f"ray {address}: {reason}: start a cluster, or use --jobs") from error


def _gather(
    ray: Any, queue: deque[tuple[Job, int]], effect: Effect, io: IOOptions, needs: Needs
) -> Iterator[Outcome]:
    resources = ray.cluster_resources()
    # A lost machine is counted by `_ATTEMPTS` here: a retry of Ray's own would not look whether the
    # output is there.
    task = ray.remote(_attempt).options(max_retries=0, **needs.options(resources))
    shared = ray.put((effect, io, _place()))
    waiting: dict[Any, tuple[Job, int]] = {}
    most, asked = _TASKS_PER_SLOT * needs.slots(resources), time.monotonic()
    try:
        while queue or waiting:
            if time.monotonic() - asked > _SIZE_SECONDS:  # machines come and go
                most = _TASKS_PER_SLOT * needs.slots(ray.cluster_resources())
                asked = time.monotonic()
            while queue and len(waiting) < most:
                job, count = queue.popleft()
                waiting[task.remote(job, shared, count)] = job, count
            # All that have ended by now: asking after each one, of 50,000, would take all day.
            ray.wait(list(waiting), num_returns=1, timeout=_POLL_SECONDS)
            ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
            for reference in ready:
                job, count = waiting.pop(reference)
                try:
                    yield ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    # What goes wrong with a file is in its outcome: this is wrong on the machine.
                    yield Outcome(job, failure_of(error), fatal=True)
                except ray.exceptions.RayError as error:
                    if count < _ATTEMPTS:
                        queue.append((job, count + 1))
                    else:
                        yield Outcome(job, _lost(error))
    finally:
        for reference in waiting:
            ray.cancel(reference)
        ray.shutdown()


def _place() -> Place:
    kept = {key: text for key, text in os.environ.items() if key.startswith("AUDIOFIX_")}
    return Place(str(Path.cwd()), kept)


def _attempt(job: Job, shared: tuple[Effect, IOOptions, Place], count: int) -> Outcome:
    """Do one job in a Ray worker; `count` is 1 at the first attempt."""
    effect, io, place = shared
    _settle(place.folder, tuple(sorted(place.environment.items())))
    # A machine may be lost after the output got its name and before anybody heard of it.
    if count > 1 and not io.overwrite and job.output is not None and is_done(job.output):
        return Outcome(job)
    return attempt(job, effect, lambda: _loaded(effect), io)


@functools.cache
def _settle(folder: str, environment: tuple[tuple[str, str], ...]) -> None:
    """Make a worker's surroundings those of the command, once a process."""
    os.environ.update(environment)
    if not Path(folder).is_dir():
        raise DeviceError(
            f"{folder}: not on machine {os.uname().nodename}: "
            "the cluster's machines need the same folders under the same names"
        )
    os.chdir(folder)


@functools.cache
def _loaded(effect: Effect) -> Any:
    """Load the model once in each of Ray's processes."""
    return effect.load()


def _lost(error: Exception) -> Failure:
    reason = one_line(str(error)).split(". ")[0]
    return Failure(
        ExitStatus.DEVICE,
        f"its process was lost {_ATTEMPTS} times ({type(error).__name__}: {reason}): "
        "give the machines more memory, or the tasks more --threads",
    )
