"""The files of a batch as tasks of a Ray cluster, for those who have one."""

import functools
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from audiofix.audio.folder import Pair
from audiofix.errors import DeviceError, UsageError
from audiofix.verbs.batch import Outcome, attempt
from audiofix.verbs.effect import Effect, Writing
from audiofix.verbs.failure import failure_of


def ray_outcomes(
    todo: list[Pair], effect: Effect, writing: Writing, address: str
) -> Iterator[Outcome]:
    """Yield the outcome of each file as it comes.

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
    return _gather(ray, todo, effect, writing)


def _gather(ray: Any, todo: list[Pair], effect: Effect, writing: Writing) -> Iterator[Outcome]:
    task = ray.remote(_attempt)
    waiting = {task.remote(pair, effect, writing): pair for pair in todo}
    try:
        while waiting:
            (ready,), _ = ray.wait(list(waiting), num_returns=1)
            pair = waiting.pop(ready)
            try:
                yield ray.get(ready)
            except ray.exceptions.RayError as error:
                yield Outcome(pair, failure_of(error))
    finally:
        for task_reference in waiting:
            ray.cancel(task_reference)
        ray.shutdown()


def _attempt(pair: Pair, effect: Effect, writing: Writing) -> Outcome:
    """Process one file in a Ray worker."""
    return attempt(pair, effect, lambda: _loaded(effect), writing)


@functools.cache
def _loaded(effect: Effect) -> Any:
    """Load the model once in each of Ray's processes."""
    return effect.load()
