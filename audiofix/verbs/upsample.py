"""`audiofix upsample`: restore the missing high band, at any rate."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from audiofix.jobs.job import Stream
from audiofix.jobs.options import AudioOptions, Computing
from audiofix.jobs.sound import SoundEffect
from audiofix.verbs.options import audio_verb, load_model, mix_option, sampling_options
from audiofix.verbs.types import Cutoff, ResultRate

if TYPE_CHECKING:
    from audiofix.backends.tasks import Restorer, UpsampleRequest
    from audiofix.streaming.stage import Stage

log = logging.getLogger(__name__)

EXAMPLES = (
    ("One file", "audiofix upsample speech16k.wav --to 48k -o speech48k.wav"),
    ("In a pipe", "cat x.wav | audiofix upsample --to 48k | sox - y.flac"),
    (
        "A folder: its tree is mirrored, finished files are skipped",
        "audiofix upsample talks/ -o restored/ --to 48k -j 2",
    ),
    (
        "A recording whose band ends at 11 kHz, whatever its rate says",
        "audiofix upsample old.mp3 --to 48k --cutoff 11k -o new.flac",
    ),
)


@dataclass(frozen=True, slots=True)
class Upsample(SoundEffect):
    """The effect of this verb."""

    request: "UpsampleRequest"
    computing: Computing
    mix: float = 1.0

    def load(self) -> "Restorer[UpsampleRequest]":
        """Load the model."""
        restorer: Restorer[UpsampleRequest] = load_model(
            "upsample", self.computing, rate=self.request.to_rate
        )
        return restorer

    def stage(self, source: Stream, loaded: "Restorer[UpsampleRequest]") -> "Stage":
        """Return a fresh stage for one stream; say so where little is to be done."""
        from audiofix.streaming.mixed import mixed

        if source.format.rate >= self.request.to_rate:
            log.warning(
                "%s: %d Hz in, %d Hz out: only a band that ends below its rate's is restored",
                *(source.name, source.format.rate, self.request.to_rate),
            )
        return mixed(loaded.stage(source.format, self.request), self.mix)


@click.command("upsample")
@click.option(
    "--to",
    type=ResultRate(),
    required=True,
    metavar="RATE",
    help="Samples per second of the result: 48k, 44100, 16k.",
)
@click.option(
    "--cutoff",
    type=Cutoff(),
    default="auto",
    show_default=True,
    metavar="auto|HZ",
    help="Where the input's band ends; auto finds it.",
)
@sampling_options
@mix_option
@audio_verb
def command(
    options: AudioOptions,
    to: int,
    cutoff: float | None,
    steps: int | None,
    sampler: Literal["fast", "published"],
    mix: float,
) -> Upsample:
    """Add the missing high band of speech and music.

    The input may have any rate and any number of channels; each channel is processed by itself.
    Below the end of the input's band the result is the input. The result has exactly
    round(samples * rate out / rate in) samples.

    Without INPUT, standard input is read; without -o, standard output is written, as 32-bit float
    samples behind a WAV header.
    """
    from audiofix.backends.tasks import UpsampleRequest

    request = UpsampleRequest(to, cutoff, steps, options.seed, sampler)
    return Upsample(request, options.computing, mix)
