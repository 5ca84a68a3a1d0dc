"""What the command line says about an evaluation. Verbs import it for help: it loads nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiofix.audio.remote import url_of
from audiofix.errors import InputError, UsageError
from audiofix.jobs.options import Computing

if TYPE_CHECKING:
    from audiofix.audio.lossy import Coding
    from audiofix.evaluation.reports import Targets


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, as the user gave it."""

    reference: str | None
    estimate: str | None
    input: str | None
    data: str | None
    count: int
    classifier: str | None
    split: str
    include: tuple[str, ...]
    pairs: str | None
    input_rates: tuple[int, ...]
    codings: tuple["Coding", ...]
    to: int
    gaps: str | None
    metrics: tuple[str, ...] | None
    lsd_preset: str
    cutoff: float | None
    baseline: str | None
    means: bool
    json: str | None
    csv: str | None
    html: str | None
    overwrite: bool
    model: str | None
    device: str
    precision: str
    threads: int | None
    seed: int
    offline: bool

    @property
    def computing(self) -> Computing:
        """Which model computes, and where."""
        return Computing(self.model, self.device, self.precision, self.offline or None)

    @property
    def targets(self) -> "Targets":
        """Where the findings go."""
        from audiofix.evaluation.reports import Targets

        return Targets(self.json, self.csv, self.html, self.overwrite)

    def check(self) -> None:
        """Refuse what cannot end well, before anything is computed.

        Raises:
            UsageError: options that do not go together.
            InputError: there is no such manifest or folder.
            OutputError: a report cannot be written.
        """
        from audiofix.files import check_new_file

        if sum(map(bool, (self.data, self.pairs, self.reference))) > 1:
            raise UsageError("eval: REFERENCE, --data and --pairs: give one of them")
        if not self.data and not self.pairs and not self.estimate:
            raise UsageError("eval: nothing to compare: give REFERENCE and ESTIMATE, or --data")
        if self.data and not url_of(self.data) and not Path(self.data).exists():
            raise InputError(f"{self.data}: not there: name a manifest or a folder")
        if self.input and not self.estimate:
            raise UsageError("--input: is what an ESTIMATE was made of: name both, and REFERENCE")
        if self.codings and not self.data:
            raise UsageError("eval: --codec without --data: name a manifest or a folder")
        if self.model and not self.data and not self.pairs:
            raise UsageError("eval: --model without --data: name a manifest or a folder")
        if self.gaps and not self.data:
            raise UsageError("--gaps: cuts gaps into recordings: name them with --data")
        too_high = [rate for rate in self.input_rates if rate >= self.to]
        if self.data and too_high and not (self.codings or self.gaps):
            raise UsageError(f"input rate {too_high[0]} Hz: not below the result's {self.to} Hz")
        if self.json == self.csv == "-":
            raise UsageError("standard output: asked for JSON and CSV: name a file for one")
        for target in (self.json, self.csv, self.html):
            if target not in (None, "-"):
                check_new_file(Path(str(target)), overwrite=self.overwrite)
