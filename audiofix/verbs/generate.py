"""`audiofix generate`: speech from latents."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiofix.errors import InputError, UsageError
from audiofix.jobs.options import Computing, use_threads
from audiofix.verbs.options import computing_options, load_model, output_options, shell, talkative
from audiofix.verbs.types import Number, ResultRate, Span

if TYPE_CHECKING:
    from audiofix.backends.tasks import GenerateRequest, Generator, Latents, StyleMix

EXAMPLES = (
    ("Ten words that nobody ever said, a file each", "audiofix generate -n 10 --seed 7 -o words/"),
    ("Into a pipe, half a second of silence between them",
     "audiofix generate -n 3 --gap 0.5 | sox - three.wav"),
    ("From one word to another, in ten steps",
     "audiofix generate -n 2 --seed 4 --interpolate 9 -o 'step-%02d.wav'"),
    ("Keep the latents, and give them another voice: late layers of seed 12",
     "audiofix generate -n 4 --save-latents four.safetensors -o a/; "
     "audiofix generate --latents four.safetensors --mix-from 12 --mix-layers 5-7 -o b/"),
    ("The latent that comes nearest to a recording",
     "audiofix generate --match seven.wav --save-latents seven.npz -o again.wav"),
)  # fmt: skip

_MATCH_SECONDS = 10
"""Of a recording that is matched; models make a second."""


@dataclass(frozen=True, slots=True)
class Words:
    """Which latents the user wants.

    Attributes:
        count: how many; None for one, or for all of a file.
        seed: of those that are drawn.
        truncation: see `GenerateRequest`.
        latents: a file of them.
        match: a recording to come near to.
        match_steps: of the descent.
        interpolate: see `GenerateRequest`.
        batch_draw: see `GenerateRequest`.
        mix_from: a seed, or a file of latents.
        mix_layers: first and last style taken from them.
    """

    count: int | None
    seed: int
    truncation: float
    latents: str | None
    match: str | None
    match_steps: int
    interpolate: int
    batch_draw: bool
    mix_from: str | None
    mix_layers: tuple[int, int] | None

    def check(self) -> None:
        """Refuse what contradicts itself, before a model loads.

        Raises:
            UsageError: two options exclude each other, or one needs another.
        """
        if self.latents and self.match:
            raise UsageError("--latents and --match: both say what to make: leave one out")
        if self.match and self.count is not None:
            raise UsageError("-n: --match makes one recording: leave -n out")
        if self.batch_draw and (self.latents or self.match):
            raise UsageError("--batch-draw: nothing is drawn: leave it out")
        if (self.mix_from is None) != (self.mix_layers is None):
            raise UsageError("--mix-from and --mix-layers: belong together: give both")
        if self.interpolate and (self.match or (self.count or 1) < 2 and not self.latents):
            raise UsageError("--interpolate: needs two recordings at least: add -n 2")

    def request(self, model: "Generator", given: "Latents | None") -> "GenerateRequest":
        """Return the request for a model; `given` are latents that are not drawn."""
        from audiofix.backends.tasks import GenerateRequest, Latents

        if given is not None and self.count is not None:
            if self.count > len(given):
                raise UsageError(f"-n {self.count}: {self.latents} holds {len(given)} latents")
            given = Latents(given.kind, given.values[: self.count])
        return GenerateRequest(
            count=self.count or 1,
            seed=self.seed,
            truncation=self.truncation,
            latents=given,
            interpolate=self.interpolate,
            batch_draw=self.batch_draw,
            mix=self._mix(model),
        )

    def total(self, given: "Latents | None") -> int:
        """Return how many recordings there will be."""
        count = self.count or (len(given) if given else 1)
        return count + self.interpolate * (count - 1)

    def _mix(self, model: "Generator") -> "StyleMix | None":
        if self.mix_from is None or self.mix_layers is None:
            return None
        from audiofix.backends.latent_files import read_latents
        from audiofix.backends.tasks import StyleMix

        if self.mix_from.isdecimal():
            others = model.drawn(1, int(self.mix_from))
        else:
            others = read_latents(Path(self.mix_from))
        return StyleMix(others, *self.mix_layers)


@click.command("generate")
@click.option("-n", "--count", type=click.IntRange(1), metavar="N", help="How many; default: one.")
@click.option(
    "--truncation",
    type=Number(0, 2),
    default=1.0,
    show_default=True,
    metavar="PSI",
    help="Below 1: nearer to the average voice; clearer, less varied.",
)
@click.option("--latents", metavar="FILE", help="Use the latents in this file.")
@click.option(
    "--save-latents",
    metavar="FILE",
    help="Save what was used: .safetensors or .npz; --latents makes it again.",
)
@click.option(
    "--interpolate",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Add N recordings between each and the next.",
)
@click.option("--mix-from", metavar="SEED|FILE", help="Take some layers' styles from these.")
@click.option(
    "--mix-layers",
    type=Span(),
    metavar="FIRST-LAST",
    help="Which; 0 is the input's. Late ones are the voice, early ones the word.",
)
@click.option("--match", metavar="AUDIO", help="Find the latent nearest to this recording.")
@click.option(
    "--match-steps",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    metavar="N",
    help="Steps of that search.",
)
@click.option(
    "--batch-draw", is_flag=True, help="Draw all latents at once, as the authors' program does."
)
@click.option(
    "--gap",
    type=Number(0),
    default=0.0,
    metavar="SECONDS",
    help="Silence between the recordings of one stream or file.",
)
@click.option("--to", type=ResultRate(), metavar="RATE", help="Samples per second of the result.")
@click.option(
    "--level",
    type=Number(-120, 0),
    metavar="DB",
    help="Peak of every recording, in dB of full scale; default: as it comes.",
)
@output_options
@click.option("--skip-existing", is_flag=True, help="Leave outputs that exist as they are.")
@computing_options
@talkative
def command(
    output: str | None,
    kind: str | None,
    bits: str | None,
    overwrite: bool,
    skip_existing: bool,
    model: str | None,
    device: str,
    precision: str,
    threads: int | None,
    offline: bool,
    save_latents: str | None,
    gap: float,
    to: int | None,
    level: float | None,
    **words: Any,
) -> None:  # fmt: skip
    """Make speech from nothing, or from latents.

    Recordings are of one length, that of the model. Without -o they go to standard output, one
    behind the other. A folder, or a name with %d, gets a file for each.

    Each recording has a generator of its own: recording 3 of seed 7 is the same whatever -n is.
    """
    chosen = Words(**words)
    chosen.check()
    computing = Computing(model, device, precision, offline or None)
    _generate(
        chosen,
        Output(output, kind, bits, overwrite, skip_existing, save_latents, gap, to, level),
        computing,
        threads,
    )


@dataclass(frozen=True, slots=True)
class Output:
    """Where recordings go, and how."""

    output: str | None
    kind: str | None
    bits: str | None
    overwrite: bool
    skip_existing: bool
    save_latents: str | None
    gap: float
    to: int | None
    level: float | None


def _generate(chosen: Words, where: Output, computing: Computing, threads: int | None) -> None:
    from audiofix.audio.format import AudioFormat
    from audiofix.backends.latent_files import check_latents_file, read_latents, write_latents
    from audiofix.backends.tasks import GenerateRequest, Latents
    from audiofix.jobs.job import IOOptions
    from audiofix.jobs.recordings import (
        Finish,
        check_outputs,
        output_files,
        unfinished,
        write_recordings,
    )

    use_threads(threads)
    io = IOOptions(None, where.kind, where.bits, where.overwrite, chosen.seed)
    given = read_latents(Path(chosen.latents)) if chosen.latents else None
    total = chosen.total(given)
    files = output_files(where.output, total, where.kind)
    todo = unfinished(files, where.output, total) if where.skip_existing else list(range(total))
    if not todo:
        return
    files = files and [files[number] for number in todo]
    check_outputs(files, where.output, io)
    saved = Path(where.save_latents) if where.save_latents else None
    if saved and where.skip_existing and saved.exists():
        saved = None
    if saved:
        check_latents_file(saved, overwrite=where.overwrite)
    loaded: Generator = load_model("generate", computing)
    if chosen.match:
        given = _matched(chosen.match, chosen.match_steps, loaded)
    request = chosen.request(loaded, given)
    if saved:
        write_latents(saved, loaded.latents(request), overwrite=where.overwrite)
    if len(todo) < total:
        every = loaded.latents(request)
        request = GenerateRequest(latents=Latents(every.kind, every.values[todo]))
    finish = Finish(where.to, where.level, where.gap)
    source = AudioFormat(loaded.rate, 1)
    recordings = loaded.samples(request)
    with shell().bar("recordings", len(todo), "recording") as tick:
        for done in write_recordings(recordings, source, files or where.output, io, finish):
            if tick:
                tick(done)


def _matched(name: str, steps: int, model: "Generator") -> "Latents":
    """Return the latent nearest to the beginning of a recording, its channels averaged."""
    import numpy as np

    from audiofix.audio.source import open_source
    from audiofix.streaming.resample import Resample
    from audiofix.streaming.stage import through

    with open_source(Path(name)) as source:
        sound = source.read(_MATCH_SECONDS * source.format.rate)
        sound = through(Resample(source.format, model.rate), sound)
    if not np.isfinite(sound).all():
        raise InputError(f"{name}: holds NaN or infinity: mend it first")
    with shell().bar(f"matching {name}", steps, "step") as tick:
        return model.match(sound.mean(0, keepdims=True), steps, tick)
