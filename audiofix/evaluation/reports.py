"""Where an evaluation's findings go: files, standard output, and tables for people."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiofix.evaluation.comparison import Excerpt
from audiofix.evaluation.findings import Findings, as_csv, as_json
from audiofix.evaluation.generation import (
    GeneratorScores,
    scores_csv,
    scores_json,
    scores_table,
)
from audiofix.evaluation.page import page
from audiofix.evaluation.tables import print_tables
from audiofix.files import write_bytes

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Targets:
    """The files that the user named; `-` is standard output.

    Attributes:
        json: for everything.
        csv: for every result.
        html: for a page.
        overwrite: whether files may be replaced.
    """

    json: str | None
    csv: str | None
    html: str | None
    overwrite: bool

    @property
    def quiet(self) -> bool:
        """Whether standard output is taken, so that no table may go there."""
        return STANDARD_OUTPUT in (self.json, self.csv)


def report_findings(
    found: Findings, excerpts: Sequence[Excerpt], targets: Targets, *, means_only: bool
) -> None:
    """Write and print the comparisons of estimates with references."""
    _write(targets.json, partial(as_json, found), targets)
    _write(targets.csv, partial(as_csv, found), targets)
    _write(targets.html, partial(page, found, excerpts), targets)
    if not targets.quiet:
        print_tables(found, means_only=means_only)


def report_generator(
    found: Mapping[str, GeneratorScores], about: Mapping[str, object], targets: Targets
) -> None:
    """Write and print the scores of a generator."""
    _write(targets.json, partial(scores_json, found, about), targets)
    _write(targets.csv, partial(scores_csv, found), targets)
    if not targets.quiet:
        sys.stdout.write(scores_table(found))


def _write(target: str | None, text: Callable[[], str], targets: Targets) -> None:
    if target is None:
        return
    content = text().encode("utf-8", "backslashreplace")  # names need not be text
    if target == STANDARD_OUTPUT:
        sys.stdout.write(content.decode())
    else:
        write_bytes(Path(target), content, overwrite=targets.overwrite)
