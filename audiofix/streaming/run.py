"""The loop that every audio command runs: source, stage, sink."""

from collections.abc import Callable
from typing import cast

import numpy as np

from audiofix.audio.format import Chunk
from audiofix.audio.sink import Sink
from audiofix.audio.source import Source
from audiofix.errors import AudiofixError
from audiofix.streaming.stage import Stage

_BLOCK_SECONDS = 0.25
"""A pipe's reader shall not wait for more than the stage itself needs."""

TOGETHER = 2
"""A file is there already: blocks of so many latencies let a stage compute windows side by side."""


def run(
    source: Source,
    stage: Stage,
    sink: Sink,
    *,
    live: bool = False,
    progress: Callable[[int], None] | None = None,
    exact: bool = False,
    latencies: int = TOGETHER,
) -> None:
    """Send everything that `source` has through `stage` into `sink`, and commit the sink.

    Args:
        source: read to its end.
        stage: fresh, of the source's format.
        sink: of the stage's result format. Aborted if anything fails.
        live: whether the source is still being made, so that its reader wants results soon.
        progress: called with the source samples done so far.
        exact: whether the stage is pushed float64, which holds every source's samples to the bit.
        latencies: of the stage, that a block lasts where the source is not live.

    Raises:
        InputError: the source ended before its header's promise; what there was is committed.
    """
    block = max(1, round(source.format.rate * _BLOCK_SECONDS))
    if not live:
        block = max(block, latencies * stage.latency)
    read = cast(Callable[[int], Chunk], source.read_exact) if exact else source.read
    done = 0
    with sink:
        while (chunk := read(block)).shape[1]:
            sink.write(_finite(stage.push(chunk)))
            done += chunk.shape[1]
            if progress:
                progress(done)
        sink.write(_finite(stage.flush()))
    if source.fault:
        raise source.fault


def _finite(chunk: Chunk) -> Chunk:
    """Return `chunk`; a result that is not finite is a defect and never reaches a file."""
    if not np.isfinite(chunk).all():
        raise AudiofixError("result: NaN or infinity from a finite input: please report this")
    return chunk
