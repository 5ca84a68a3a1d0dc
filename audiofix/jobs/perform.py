"""What a command line asks for: a stream, a file or a batch, and where its output goes."""

import functools
import logging
import os
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiofix.audio.bytestream import name_of
from audiofix.audio.folder import NAMES, pair_files
from audiofix.audio.pcm import parse_encoding
from audiofix.audio.remote import url_of
from audiofix.audio.sink import check_target
from audiofix.audio.source import Headerless, Source
from audiofix.audio.types import encoding_of, type_of
from audiofix.errors import UsageError
from audiofix.files import make_folder
from audiofix.jobs.fragment import is_done, is_fragment, run_job
from audiofix.jobs.job import PIPE, Effect, IOOptions, Job
from audiofix.jobs.listing import manifest_jobs, shard_of
from audiofix.jobs.options import AudioOptions, Shell, inputs_or_pipe, thread_share, use_threads
from audiofix.jobs.stream import known_samples
from audiofix.jobs.windows import AHEAD, Compute, compute_elsewhere, window_processes

log = logging.getLogger(__name__)


def perform(effect: Effect, options: AudioOptions, shell: Shell) -> None:
    """Do what a command line asks for: a stream, a file, or a batch.

    Raises:
        UsageError: inputs and output do not fit together.
        BatchError: some files of a batch failed.
        AudiofixError: why a single file failed.
    """
    io = _prepare(options, reads=effect.reads)
    if effect.reads and effect.writes and (options.listed or is_batch(options.inputs)):
        from audiofix.jobs.batch import run_batch

        jobs = _batch_jobs(options, effect)
        for output in {job.output.suffix: job.output for job in jobs if job.output}.values():
            _check_type(output, effect, io)
        run_batch(jobs, effect, io, options, shell)
        return
    _perform_one(_single_job(options, effect), effect, io, options, shell)


def _perform_one(
    job: Job, effect: Effect, io: IOOptions, options: AudioOptions, shell: Shell
) -> None:
    """Do one job, with a bar of its own.

    Raises:
        UsageError: binary would go to a terminal, or the input would be overwritten.
        OutputError: the output exists or its folder does not; found before any model loads.
        AudiofixError: why the job failed.
    """
    if job.output is not None:
        if options.skip_existing and job.output != PIPE and is_done(job.output):
            log.warning("%s: exists: skipped", job.output)
            return
        _refuse_overwritten_input(job)
        _check_type(job.output, effect, io)
        replaced = options.skip_existing and is_fragment(job.output)
        check_target(job.output, overwrite=io.overwrite or replaced)
    begin = time.perf_counter()
    sound_seconds = 0.0

    with ExitStack() as bars:
        helpers = _helpers(effect, options, bars) if job.source and job.output else None
        if helpers:
            io = replace(io, latencies=AHEAD * helpers[1])
        load = functools.cache(functools.partial(_loaded, effect, helpers, shell))

        def progress(source: Source) -> Callable[[int], None]:
            rate, samples = source.format.rate, known_samples(source)
            total = None if samples is None else samples / rate
            tick = bars.enter_context(shell.bar(source.name, total, "s"))

            def done(samples: int) -> None:
                nonlocal sound_seconds
                sound_seconds = samples / rate
                if tick:
                    tick(sound_seconds)

            return done

        run_job(job, effect, load, io, progress)
    elapsed = time.perf_counter() - begin
    if sound_seconds:
        shell.note(
            f"{job.name}: {sound_seconds:.1f} s of sound in {elapsed:.1f} s, "
            f"{sound_seconds / elapsed:.1f} times real time"
        )


def _loaded(effect: Effect, helpers: tuple[Compute, int] | None, shell: Shell) -> Any:
    with shell.bar("loading the model", None, ""):
        loaded = effect.load()
    return compute_elsewhere(loaded, *helpers) if helpers else loaded


def _helpers(
    effect: Effect, options: AudioOptions, opened: ExitStack
) -> tuple[Compute, int] | None:
    """Return what computes one file's windows elsewhere, and how many at once; None for nothing."""
    if options.ray is not None:
        from audiofix.jobs.cluster import Needs, ray_windows

        needs = Needs(options.threads or 1, options.device)
        return opened.enter_context(ray_windows(effect, options.ray, needs))
    if options.jobs > 1:
        return opened.enter_context(window_processes(effect, options.jobs)), options.jobs
    return None


def is_batch(inputs: tuple[str, ...]) -> bool:
    """Tell whether these inputs are more than one file or stream."""
    return len(inputs) > 1 or any(name != "-" and _is_folder(name) for name in inputs)


def _is_folder(name: str) -> bool:
    """Tell a folder; a remote one is told by its final slash, without asking the store."""
    return name.endswith("/") if url_of(name) else Path(name).is_dir()


def headerless_of(
    encoding: str | None, rate: int | None, channels: int | None
) -> Headerless | None:
    """Return what -e, -r and -c say of input without a header.

    Raises:
        UsageError: some of the three are missing, or the encoding is unknown.
    """
    said = {"-e": encoding, "-r": rate, "-c": channels}
    missing = [flag for flag, value in said.items() if value is None]
    if len(missing) == len(said):
        return None
    if encoding is None or rate is None or channels is None:
        raise UsageError(
            f"headerless input: {' and '.join(missing)} missing: "
            "-e, -r and -c belong together, as in -e f32le -r 48k -c 1"
        )
    return Headerless(parse_encoding(encoding), rate, channels)


def _prepare(options: AudioOptions, *, reads: bool) -> IOOptions:
    """Set the threads, and return how files are read, if any are, and written.

    Raises:
        UsageError: an option makes no sense; found before anything is opened.
    """
    use_threads(thread_share(options))
    type_of(PIPE, options.kind)  # an unknown one is refused
    headerless = None
    if reads:
        headerless = headerless_of(options.encoding, options.rate, options.channels)
    return IOOptions(
        headerless,
        options.kind,
        options.bits,
        options.overwrite,
        options.seed,
        digests=options.listed,
        start=options.start,
        duration=options.duration,
    )


def _single_job(options: AudioOptions, effect: Effect) -> Job:
    """Return the job of one input at most.

    Raises:
        UsageError: nothing is there to read, standard input would go into a folder, or there are
            several inputs and no place for several outputs.
        OutputError: the output's folder cannot be made.
    """
    output = options.output or "-"
    if not effect.reads:
        return Job("recording", None, Path(output))
    name, *more = inputs_or_pipe(options.inputs)
    if not effect.writes:
        if more or is_batch((name,)):
            raise UsageError("several inputs: only one stream can be played: name one INPUT")
        return Job(name, Path(name), None)
    source, result = Path(name), Path(output)
    if output != "-" and (output.endswith(("/", os.sep)) or result.is_dir()):
        if source == PIPE:
            raise UsageError(f"{output}: is a folder, and standard input has no name: name a file")
        if not url_of(result):
            make_folder(result)
        (pair,) = pair_files([name], result, effect.makes or options.kind)
        result = pair.result
    return Job(name, source, result)


def _batch_jobs(options: AudioOptions, effect: Effect) -> list[Job]:
    """Return the jobs of several inputs, a folder or a manifest, or of one shard of them.

    Raises:
        UsageError: inputs and output do not fit together.
        OutputError: the output's folder cannot be made.
    """
    if "-" in options.inputs:
        raise UsageError("standard input: cannot be one of several inputs: name files only")
    if options.output in (None, "-"):
        raise UsageError("several inputs: no output folder: name one with -o")
    output, kind = Path(str(options.output)), effect.makes or options.kind
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is not a folder: several inputs need one")
    named_as_folder = output.exists() or str(options.output).endswith("/")
    if output.suffix.lower() in NAMES and not named_as_folder:
        raise UsageError(f"{output}: names a file, several inputs need a folder: write {output}/")
    if options.manifest:
        if options.inputs:
            raise UsageError("--manifest: it lists the inputs: name no others")
        return shard_of(manifest_jobs(Path(options.manifest), output, kind), options.shard)
    pairs = pair_files(inputs_or_pipe(options.inputs), output, kind, effect.takes)
    if not url_of(output):
        make_folder(output)
    jobs = [Job(name_of(pair.source), pair.source, pair.result) for pair in pairs]
    return shard_of(jobs, options.shard)


def _check_type(output: Path, effect: Effect, io: IOOptions) -> None:
    """Refuse a type that is unknown, cannot hold the samples, or is not what the effect makes.

    Raises:
        UsageError: it is, or cannot.
    """
    if effect.makes is None:
        encoding_of(type_of(output, io.kind), io.bits, "32f")
    elif output.suffix.lower() not in ("", f".{effect.makes}"):
        raise UsageError(f"{output}: this verb writes .{effect.makes} only: name it so")


def _refuse_overwritten_input(job: Job) -> None:
    if job.source is None or job.output is None:
        return
    source = _identity(job.source, 0)
    if source is not None and source == _identity(job.output, 1):
        raise UsageError(f"{job.name}: is both input and output: name another output")


def _identity(path: Path, descriptor: int) -> tuple[int, int] | None:
    """Return what tells a regular file from all others, None for anything else."""
    try:
        status = os.fstat(descriptor) if path == PIPE else path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
