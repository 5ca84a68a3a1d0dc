"""The jobs of a batch as tasks of a Ray cluster, for those who have one."""

import functools
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from audiofix.errors import DeviceError, UsageError
from audiofix.jobs.attempt import Outcome, attempt
from audiofix.jobs.failures import failure_of
from audiofix.jobs.job import Effect, IOOptions, Job


def ray_outcomes(todo: list[Job], effect: Effect, io: IOOptions, address: str) -> Iterator[Outcome]:
    """Yield the outcome of each job as it comes.

    The cluster's machines need audiofix and the same folders under the same names.

    Raises:
        UsageError: the ray package is not installed.
        DeviceError: the cluster cannot be reached.
    """
    if find_spec("ray") is None:
        raise UsageError("--ray: the ray package is not here: pip install ray, or use --jobs")
    ray: Any = import_module("ray")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise DeviceError(f"ray {address}: {error}: start a cluster, or use --jobs") from error
    return _gather(ray, todo, effect, io)


def _gather(ray: Any, todo: list[Job], effect: Effect, io: IOOptions) -> Iterator[Outcome]:
    task = ray.remote(_attempt)
    waiting = {task.remote(job, effect, io): job for job in todo}
    try:
        while waiting:
            (ready,), _ = ray.wait(list(waiting), num_returns=1)
            job = waiting.pop(ready)
            try:
                yield ray.get(ready)
            except ray.exceptions.RayError as error:
                yield Outcome(job, failure_of(error))
    finally:
        for task_reference in waiting:
            ray.cancel(task_reference)
        ray.shutdown()


def _attempt(job: Job, effect: Effect, io: IOOptions) -> Outcome:
    """Do one job in a Ray worker."""
    return attempt(job, effect, lambda: _loaded(effect), io)


@functools.cache
def _loaded(effect: Effect) -> Any:
    """Load the model once in each of Ray's processes."""
    return effect.load()
