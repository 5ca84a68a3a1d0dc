"""A file beside its reference, and perhaps beside what it was made of."""

from contextlib import ExitStack
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np

from audiofix.audio.format import Chunk, empty_chunk
from audiofix.audio.source import Source, open_source, raise_fault
from audiofix.errors import InputError
from audiofix.evaluation.comparison import (
    Comparison,
    Measuring,
    SideBySide,
)
from audiofix.evaluation.damage import BLOCK_SECONDS
from audiofix.streaming.resample import Resample

ESTIMATE, INPUT = "estimate", "input"


def compare_files(
    name: str, reference: Path, estimate: Path, measuring: Measuring, given: Path | None = None
) -> Comparison:
    """Measure one file against another, block by block.

    Args:
        name: what to call them.
        reference: the original.
        estimate: what is measured.
        measuring: how.
        given: what the estimate was made of, at any rate; resampled, it is measured beside it.

    Raises:
        InputError: one cannot be read; rates, channels or lengths differ.
    """
    with ExitStack() as opened:
        clean, made = (opened.enter_context(open_source(path)) for path in (reference, estimate))
        _check_formats(clean, made)
        methods = [ESTIMATE]
        dry = None
        if given is not None:
            dry = _Input(opened.enter_context(open_source(given)), clean)
            methods.insert(0, INPUT)
            if measuring.edge_hz is None and dry.rate < clean.format.rate:
                measuring = replace(measuring, edge_hz=dry.rate / 2)
        side = SideBySide(name, clean.format, methods, measuring)
        block = max(1, round(clean.format.rate * BLOCK_SECONDS))
        lengths = [0, 0]
        while True:
            chunks = [clean.read(block), made.read(block)]
            lengths = [n + chunk.shape[1] for n, chunk in zip(lengths, chunks, strict=True)]
            if not chunks[0].shape[1] or not chunks[1].shape[1]:
                break
            side.push(chunks[0], *([dry.read()] if dry else []), chunks[1])
        totals = [n + _count(source) for n, source in zip(lengths, (clean, made), strict=True)]
        raise_fault(clean, made)
        if totals[0] != totals[1]:
            raise InputError(
                f"{estimate}: {totals[1]} samples, its reference {reference} has {totals[0]}: "
                "cut or pad one of them"
            )
        if dry:
            nothing = empty_chunk(clean.format.channels)
            side.push(nothing, dry.rest(totals[0]), nothing)
        return side.comparison(dry.rate if dry else None, {})


class _Input:
    """What an estimate was made of, resampled to the rate of its reference."""

    def __init__(self, source: Source, reference: Source) -> None:
        if source.format.channels != reference.format.channels:
            raise InputError(
                f"{source.name}: {source.format.channels} channels, its reference "
                f"{reference.name} has {reference.format.channels}: compare like with like"
            )
        self.rate = source.format.rate
        self._source = source
        self._reference = reference
        self._up = Resample(source.format, reference.format.rate)
        self._samples = 0

    def read(self) -> Chunk:
        """Return what the next quarter of a second gives."""
        chunk = self._source.read(ceil(self.rate * BLOCK_SECONDS))
        return self._counted(self._up.push(chunk))

    def rest(self, samples: int) -> Chunk:
        """Return what is left until the reference's `samples`; rounding is made up by zeros.

        Raises:
            InputError: it is longer or shorter than the reference.
        """
        allowed = ceil(self._up.result.rate / self.rate)
        parts = []
        while self._samples <= samples + allowed:
            chunk = self._source.read(ceil(self.rate * BLOCK_SECONDS))
            parts.append(self._counted(self._up.push(chunk)))
            if not chunk.shape[1]:
                parts.append(self._counted(self._up.flush()))
                break
        raise_fault(self._source)
        if abs(self._samples - samples) > allowed:
            raise InputError(
                f"{self._source.name}: {self._samples} samples at {self._up.result.rate} Hz, its "
                f"reference {self._reference.name} has {samples}: cut or pad one of them"
            )
        return np.pad(np.concatenate(parts, axis=1), ((0, 0), (0, max(0, samples - self._samples))))

    def _counted(self, chunk: Chunk) -> Chunk:
        self._samples += chunk.shape[1]
        return chunk


def _check_formats(clean: Source, made: Source) -> None:
    pairs = {
        "Hz": (made.format.rate, clean.format.rate),
        "channels": (made.format.channels, clean.format.channels),
    }
    for unit, (here, there) in pairs.items():
        if here != there:
            raise InputError(
                f"{made.name}: {here} {unit}, its reference {clean.name} has {there}: "
                "compare like with like"
            )


def _count(source: Source) -> int:
    """Read a source to its end and return how many samples there were."""
    samples = 0
    while read := source.read(1 << 16).shape[1]:
        samples += read
    return samples
