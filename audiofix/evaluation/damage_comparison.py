"""What models make of a damaged recording, beside what the damage left."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from audiofix.audio.format import Chunk, empty_chunk
from audiofix.audio.source import open_source
from audiofix.errors import UsageError
from audiofix.evaluation.comparison import Comparison, Measuring, SideBySide
from audiofix.evaluation.damage import Damage, Damaged
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import Stage

Restoring = Callable[[Damaged], Stage]
"""Gives a fresh stage, from what a damage left of a recording to its reference's rate."""


def compare_damaged(
    name: str,
    path: Path,
    damage: Damage,
    restorers: Mapping[str, Restoring],
    measuring: Measuring,
) -> Comparison:
    """Measure what models make of a damaged recording, beside plain resampling of it.

    Args:
        name: what to call it.
        path: the recording.
        damage: what is done to it.
        restorers: method -> the model.
        measuring: what is measured; without `edge_hz`, the border of the bands is the damage's.

    Raises:
        InputError: the recording cannot be read, or is none that can be damaged so.
        UsageError: a model gives another rate, or a codec is not to be had.
    """
    with open_source(path) as source:
        damaged = damage.of(source)
        if measuring.edge_hz is None:
            measuring = replace(measuring, edge_hz=damaged.edge_hz)
        plain = {damage.plain: _Timed(Resample(damaged.given, damaged.clean.rate))}
        models = {method: _Timed(make(damaged)) for method, make in restorers.items()}
        for model in models.values():
            if model.result != damaged.clean:
                raise UsageError(f"model: gives {model.result}, not {damaged.clean}: change --to")
        ways = {**plain, **models}
        side = SideBySide(name, damaged.clean, list(ways), measuring, damaged.gaps)
        for clean, given in damaged.blocks:
            side.push(clean, *(way.push(given) for way in ways.values()))
        side.push(empty_chunk(damaged.clean.channels), *(way.flush() for way in ways.values()))
    timed = ways if damaged.given != damaged.clean else models
    factors = {method: {"rtf": way.seconds / side.seconds} for method, way in timed.items()}
    return side.comparison(damage.input_rate, factors, damage.label)


class _Timed:
    """A stage and the seconds that it has taken."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.result = stage.result
        self.seconds = 0.0

    def push(self, chunk: Chunk) -> Chunk:
        return self._taken(lambda: self._stage.push(chunk))

    def flush(self) -> Chunk:
        return self._taken(self._stage.flush)

    def _taken(self, work: Callable[[], Chunk]) -> Chunk:
        begin = perf_counter()
        out = work()
        self.seconds += perf_counter() - begin
        return out
