"""One stream of sound through its stage."""

import logging
from collections.abc import Callable

from audiofix.audio.sink import open_sink
from audiofix.audio.source import Source, open_source
from audiofix.jobs.job import PIPE, IOOptions, Job, Progress, Stream
from audiofix.streaming.run import run
from audiofix.streaming.stage import Stage

log = logging.getLogger(__name__)


def run_stream(
    job: Job,
    make_stage: Callable[[Stream], Stage],
    io: IOOptions,
    progress: Progress | None = None,
    *,
    exact: bool = False,
    keeps_bits: bool = True,
) -> None:
    """Send one input through a fresh stage into its output.

    Args:
        job: has a source and an output.
        make_stage: makes the stage for the opened source.
        io: how to read and write.
        progress: see `Effect.run`.
        exact: see `streaming.run.run`.
        keeps_bits: see `SoundEffect`.

    Raises:
        InputError: the source cannot be read, or ended before its header's promise; what there was
            is written.
        OutputError: the output cannot be written.
    """
    assert job.source is not None and job.output is not None
    with open_source(job.source, headerless=io.headerless) as source:
        source.take(io.start, io.duration)
        log_source(source)
        stage = make_stage(Stream(source.name, source.format, known_samples(source)))
        sink = open_sink(
            job.output,
            stage.result,
            kind=io.kind,
            bits=io.bits,
            usual_bits=source.bits if keeps_bits else "32f",
            tags=source.tags,
            overwrite=io.overwrite,
            seed=io.seed,
        )
        try:
            log.info("%s: %d Hz, %d channels", job.output, stage.result.rate, stage.result.channels)
            tick = progress(source) if progress else None
            live = job.source == PIPE
            run(
                source, stage, sink,
                live=live, progress=tick, exact=exact, latencies=io.latencies,
            )  # fmt: skip
        except BaseException:
            sink.abort()  # `run` does so too, but a signal may come before it begins
            raise


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
