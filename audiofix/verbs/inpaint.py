"""`audiofix inpaint`: fill gaps, and leave every other sample as it was."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from audiofix.errors import UsageError
from audiofix.jobs.job import Stream
from audiofix.jobs.options import AudioOptions, Computing, inputs_or_pipe
from audiofix.jobs.sound import SoundEffect
from audiofix.verbs.options import audio_verb, load_model, sampling_options

if TYPE_CHECKING:
    from audiofix.backends.tasks import InpaintRequest, Restorer
    from audiofix.streaming.stage import Stage

EXAMPLES = (
    ("One gap", "audiofix inpaint take.wav --gaps 12.30-12.55 -o fixed.wav"),
    ("What would be filled, and a picture of it",
     "audiofix inpaint take.wav --dry-run --picture gaps.png > gaps.csv"),
    ("After a look at the list", "audiofix inpaint take.wav --gaps gaps.csv -o fixed.wav"),
    ("Dropouts and clicks, wherever they are, in a pipe",
     "cat x.wav | audiofix inpaint | sox - y.flac"),
    ("A folder with a label file for each recording",
     "audiofix inpaint takes/ --gaps labels/ -o fixed/ -j 2"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inpaint(SoundEffect):
    """The effect of this verb. `gaps` is what `--gaps` said."""

    gaps: str
    steps: int | None
    sampler: Literal["fast", "published"]
    seed: int
    computing: Computing

    @property
    def exact(self) -> bool:
        """Whether the stage is pushed float64: outside the gaps every bit stays."""
        return True

    def load(self) -> "Restorer[InpaintRequest]":
        """Load the model."""
        restorer: Restorer[InpaintRequest] = load_model("inpaint", self.computing)
        return restorer

    def stage(self, source: Stream, loaded: "Restorer[InpaintRequest]") -> "Stage":
        """Return a fresh stage for one stream; a file of gaps is read for its name."""
        from audiofix.audio.spans import gaps_of
        from audiofix.backends.tasks import InpaintRequest

        gaps = gaps_of(self.gaps, source.name, source.format.rate)
        request = InpaintRequest(gaps, self.steps, self.seed, self.sampler)
        return loaded.stage(source.format, request)


@click.command("inpaint")
@click.option(
    "--gaps",
    default="auto",
    show_default=True,
    metavar="auto|SPANS|FILE",
    help="Where gaps are: START-END,... in seconds, or in samples with an s behind; "
    "or a file of labels or a CSV file; or a folder of label files.",
)
@sampling_options
@click.option("--dry-run", is_flag=True, help="Only print what would be filled, as CSV.")
@click.option("--picture", metavar="FILE", help="With --dry-run: draw it, as a PNG file.")
@audio_verb
def command(
    options: AudioOptions,
    gaps: str,
    steps: int | None,
    sampler: Literal["fast", "published"],
    dry_run: bool,
    picture: str | None,
) -> Inpaint | None:
    """Fill gaps, dropouts and clicks of a recording.

    Outside the gaps every sample stays as it was, to the bit, at the input's own rate and depth.
    `auto` finds digital silence with abrupt edges, held samples, NaN and infinite samples, and
    clicks; it leaves fades, pauses and the silence at both ends alone. Gaps are filled
    autoregressively, from what both sides tell; -m names a diffusion model instead.

    Without INPUT, standard input is read; without -o, standard output is written, as 32-bit float
    samples behind a WAV header.
    """
    if picture is not None and not dry_run:
        raise UsageError("--picture: shows what --dry-run finds: add --dry-run")
    from audiofix.audio.spans import check_gaps

    check_gaps(gaps)
    if dry_run:
        _report(options, gaps, picture)
        return None
    return Inpaint(gaps, steps, sampler, options.seed, options.computing)


def _report(options: AudioOptions, gaps: str, picture: str | None) -> None:
    from audiofix.evaluation.gap_report import print_gaps
    from audiofix.jobs.perform import headerless_of

    headerless = headerless_of(options.encoding, options.rate, options.channels)
    inputs = inputs_or_pipe(options.inputs)
    print_gaps(inputs, gaps, Path(picture) if picture else None, headerless, options.overwrite)
