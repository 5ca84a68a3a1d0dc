"""Several processes that share a list of jobs. Each loads the model once.

A process that dies, say for want of memory, costs the job that it held and no other.
"""

import functools
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from audiofix.exit_status import ExitStatus
from audiofix.jobs.attempt import Outcome, attempt
from audiofix.jobs.failures import Failure
from audiofix.jobs.job import Effect, IOOptions, Job
from audiofix.jobs.signals import Terminated, end_cleanly_on_signals

log = logging.getLogger(__name__)

own_number = 0
"""This process's number among those of a batch, which chooses its GPU."""

_GRACE_SECONDS = 10.0
"""How long a process may take to remove its unfinished file before it is killed."""


@dataclass(slots=True)
class _Worker:
    """One process, its number, our end of its connection, and the job that it holds."""

    process: SpawnProcess
    number: int
    connection: Connection
    job: Job | None = None


def worker_outcomes(
    todo: list[Job], effect: Effect, io: IOOptions, *, jobs: int
) -> Iterator[Outcome]:
    """Yield the outcome of each job as it comes, in no particular order.

    Closing the iterator, or an exception in it, ends the processes and removes their unfinished
    files.
    """
    queue = deque(todo)
    workers: list[_Worker] = []
    try:
        while queue or workers:
            while queue and len(workers) < jobs:
                taken = {worker.number for worker in workers}
                number = next(n for n in range(jobs) if n not in taken)
                workers.append(_start(effect, io, number))
                _hand_over(workers[-1], queue)
            ready = wait([worker.connection for worker in workers])
            for worker in [one for one in workers if one.connection in ready]:
                outcome = _receive(worker)
                if outcome is None:
                    continue
                yield outcome
                if not worker.process.is_alive() or not queue:
                    workers.remove(worker)
                    _end(worker)
                else:
                    _hand_over(worker, queue)
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            _end(worker)


def _start(effect: Effect, io: IOOptions, number: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    level = logging.getLogger("audiofix").getEffectiveLevel()
    process = context.Process(target=_serve, args=(theirs, effect, io, level, number), daemon=True)
    # Ctrl-C reaches the whole process group; a process inherits that it is to leave it to us.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, previous)
    theirs.close()
    return _Worker(process, number, ours)


def _hand_over(worker: _Worker, queue: deque[Job]) -> None:
    worker.job = queue.popleft()
    try:
        worker.connection.send(worker.job)
    except OSError:
        log.debug("%s: its process is gone", worker.job.name)  # `_receive` reports it


def _receive(worker: _Worker) -> Outcome | None:
    """Return an outcome, or None after a log record."""
    assert worker.job is not None
    try:
        message = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        return Outcome(worker.job, _death(worker))
    if isinstance(message, Outcome):
        return message
    logging.getLogger(message.name).handle(message)
    return None


def _death(worker: _Worker) -> Failure:
    code = worker.process.exitcode or 0
    if code == -signal.SIGKILL:
        advice = "use fewer --jobs, or --device cpu"
        return Failure(
            ExitStatus.DEVICE, f"its process was killed, likely for its memory: {advice}"
        )
    return Failure(
        ExitStatus.FAILURE, f"defect: its process ended with status {code}: try --jobs 1 -v"
    )


def _end(worker: _Worker) -> None:
    worker.connection.close()  # the process sees the end of its list
    worker.process.join(_GRACE_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _serve(connection: Connection, effect: Effect, io: IOOptions, level: int, number: int) -> None:
    """Do the jobs that come through `connection` until it closes. Runs in its own process."""
    global own_number
    own_number = number
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, Terminated):
        end_cleanly_on_signals()
        threading.Thread(target=follow_parent, daemon=True).start()
        logging.getLogger().addHandler(_Forward(connection))
        logging.getLogger("audiofix").setLevel(level)
        loaded = functools.cache(effect.load)
        while True:
            connection.send(attempt(connection.recv(), effect, loaded, io))
    # Nothing is left to clean up, and a late signal would only print a traceback.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def follow_parent() -> None:
    """End this process, cleanly, when its parent is killed: a rerun may take its files up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(_GRACE_SECONDS)
        os._exit(128 + signal.SIGTERM)


class _Forward(logging.Handler):
    """Sends log records to the process that owns standard error."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        record.msg = self.format(record)
        record.args = record.exc_info = record.exc_text = record.stack_info = None
        with suppress(OSError):  # the parent is gone, and so is whoever would read this
            self._connection.send(record)
