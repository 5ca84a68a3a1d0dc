"""`audiofix upsample`: restore the missing high band, at any rate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from audiofix.verbs.effect import SoundEffect
from audiofix.verbs.options import AudioOptions, Cutoff, Rate, Shell, audio_verb, is_offline

if TYPE_CHECKING:
    from audiofix.verbs.effect import StageMaker

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
class Upsampling(SoundEffect):
    """The effect of this verb (`verbs.pipeline.Effect`)."""

    to_rate: int
    cutoff_hz: float | None
    steps: int | None
    model: str | None
    device: str
    precision: str
    offline: bool | None
    seed: int = 0

    def load(self) -> "StageMaker":
        """Load the model."""
        from audiofix.backends.placement import place
        from audiofix.backends.systems import load
        from audiofix.backends.tasks import UpsampleRequest

        restorer = load(
            "upsample",
            self.model,
            place(self.device, self.precision),
            rate=self.to_rate,
            offline=self.offline,
        )
        request = UpsampleRequest(self.to_rate, self.cutoff_hz, self.steps, self.seed)
        return lambda source: restorer.stage(source, request)


def run(
    options: AudioOptions, shell: Shell, *, to: int, cutoff: float | None, steps: int | None
) -> None:
    """Restore every input.

    Args:
        options: the shared options.
        shell: progress.
        to: samples per second of the result.
        cutoff: where the input's band ends in Hz, None to find it.
        steps: sampling steps of a diffusion model, None for its own choice.
    """
    from audiofix.verbs.pipeline import perform

    effect = Upsampling(
        to, cutoff, steps, options.model, options.device, options.precision,
        is_offline(options), options.seed,
    )  # fmt: skip
    perform(effect, options, shell)


@click.command("upsample")
@click.option(
    "--to",
    type=Rate(),
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
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="Sampling steps, for diffusion models."
)
@audio_verb
def command(options: AudioOptions, to: int, cutoff: float | None, steps: int | None) -> None:
    """Add the missing high band of speech and music.

    The input may have any rate and any number of channels; each channel is processed by itself.
    Below the end of the input's band the result is the input. The result has exactly
    round(samples * rate out / rate in) samples.

    Without INPUT, standard input is read; without -o, standard output is written, as 32-bit float
    samples behind a WAV header.
    """
    run(options, click.get_current_context().find_root().obj, to=to, cutoff=cutoff, steps=steps)
