"""What every verb from audio to audio has in common: one file, or many, through its stages."""

import functools
import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from audiofix.audio.destination import is_special
from audiofix.audio.folder import Pair, pair_files
from audiofix.audio.pcm import parse_encoding
from audiofix.audio.sink import open_sink, type_of
from audiofix.audio.source import Headerless, Source, open_source
from audiofix.errors import OutputError, UsageError
from audiofix.streaming.run import run
from audiofix.verbs.effect import Effect, Progress, StageMaker, Writing
from audiofix.verbs.options import AudioOptions, Shell, inputs_or_pipe, thread_share

log = logging.getLogger(__name__)

PIPE = Path("-")


def perform(effect: Effect, options: AudioOptions, shell: Shell) -> None:
    """Do what a command line asks for: a stream, a file, or a batch.

    Raises:
        UsageError: inputs and output do not fit together.
        BatchError: some files of a batch failed.
        AudiofixError: why a single file failed.
    """
    use_threads(thread_share(options))
    writing = Writing(
        headerless_of(options.encoding, options.rate, options.channels),
        options.kind,
        options.bits,
        options.overwrite,
        options.seed,
    )
    type_of(PIPE, options.kind)  # refuses an unknown type before anything is opened
    if not is_batch(options.inputs):
        pair = single_pair(options, effect.makes)
        if options.skip_existing and pair.result != PIPE and pair.result.is_file():
            log.warning("%s: exists: skipped", pair.result)
            return
        _process_single(pair, effect, writing, shell)
        return
    from audiofix.verbs.batch import run_batch

    run_batch(_batch_pairs(options, effect), effect, writing, options, shell)


def process_sound(
    pair: Pair,
    loaded: Callable[[], StageMaker],
    writing: Writing,
    progress: Progress | None = None,
) -> None:
    """Send one input through a fresh stage into its output; see `Effect.process`."""
    with open_source(pair.source, headerless=writing.headerless) as source:
        log_source(source)
        stage = loaded()(source.format)
        sink = open_sink(
            pair.result,
            stage.result,
            kind=writing.kind,
            bits=writing.bits,
            like=source,
            overwrite=writing.overwrite,
            seed=writing.seed,
        )
        try:
            log.info(
                "%s: %d Hz, %d channels", pair.result, stage.result.rate, stage.result.channels
            )
            run(source, stage, sink, progress=progress(source) if progress else None)
        except BaseException:
            sink.abort()  # `run` does so too, but a signal may come before it begins
            raise


def use_threads(threads: int | None) -> None:
    """Let numerical libraries, which are not loaded yet, use so many threads."""
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)


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


def is_batch(inputs: tuple[str, ...]) -> bool:
    """Tell whether these inputs are more than one file or stream."""
    return len(inputs) > 1 or any(name != "-" and Path(name).is_dir() for name in inputs)


def single_pair(options: AudioOptions, makes: str | None = None) -> Pair:
    """Return the one input and its output; `makes` is its kind where that is not a choice.

    Raises:
        UsageError: nothing is there to read, sound would go to a terminal, or the input would be
            overwritten while it is read.
        OutputError: the output exists or its folder does not; found before any model loads.
    """
    (name,) = inputs_or_pipe(options.inputs)
    output = options.output or "-"
    source, result = Path(name), Path(output)
    if output != "-" and (output.endswith(("/", os.sep)) or result.is_dir()):
        if source == PIPE:
            raise UsageError(f"{output}: is a folder, and standard input has no name: name a file")
        result.mkdir(parents=True, exist_ok=True)
        (pair,) = pair_files([name], result, makes or options.kind)
        result = pair.result
    if result == PIPE:
        _check_standard_output()
    if _identity(source, 0) is not None and _identity(source, 0) == _identity(result, 1):
        raise UsageError(f"{name}: is both input and output: name another output")
    if result != PIPE:
        _check_writable(result, options)
    return Pair(source, result)


def _batch_pairs(options: AudioOptions, effect: Effect) -> list[Pair]:
    if "-" in options.inputs:
        raise UsageError("standard input: cannot be one of several inputs: name files only")
    if options.output in (None, "-"):
        raise UsageError("several inputs: no output folder: name one with -o")
    output = Path(str(options.output))
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is not a folder: several inputs need one")
    return pair_files(options.inputs, output, effect.makes or options.kind, effect.takes)


def _check_standard_output() -> None:
    if sys.stdout is None:
        raise OutputError("standard output: closed: name a file with -o")
    if sys.stdout.isatty():
        raise UsageError("output: binary would go to the terminal: name a file with -o, or pipe it")


def _check_writable(result: Path, options: AudioOptions) -> None:
    if is_special(result):
        return
    if result.exists() and not (options.overwrite or options.skip_existing):
        raise OutputError(f"{result}: exists: add --overwrite, or name another file")
    if not result.parent.is_dir():
        raise OutputError(f"{result}: its folder does not exist: make it first")


def _identity(path: Path, descriptor: int) -> tuple[int, int] | None:
    """Return what tells a regular file from all others, None for anything else."""
    try:
        status = os.fstat(descriptor) if path == PIPE else path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _process_single(pair: Pair, effect: Effect, writing: Writing, shell: Shell) -> None:
    with ExitStack() as bars:

        def progress(source: Source) -> Callable[[int], None] | None:
            rate, samples = source.format.rate, known_samples(source)
            seconds = None if samples is None else samples / rate
            tick = bars.enter_context(shell.bar(source.name, seconds, "s"))
            return tick and (lambda done: tick(done / rate))

        effect.process(pair, functools.cache(effect.load), writing, progress)


def known_samples(source: Source) -> int | None:
    """Return the length of a source, None where its decoder only pretends to know it."""
    return None if source.samples is None or source.samples >= 1 << 62 else source.samples


def log_source(source: Source) -> None:
    """Say what an input is."""
    samples = known_samples(source)
    log.info(
        "%s: %s %s, %d Hz, %d channels, %s",
        source.name,
        source.container,
        source.encoding,
        source.format.rate,
        source.format.channels,
        "of unknown length" if samples is None else f"{samples} samples",
    )
