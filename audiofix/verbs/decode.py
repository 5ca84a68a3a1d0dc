"""`audiofix decode`: the codes of a neural codec to sound."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import click

from audiofix.errors import UsageError
from audiofix.jobs.job import IOOptions, Job, Progress
from audiofix.jobs.options import LIVE_THREADS, AudioOptions, Computing, use_threads
from audiofix.verbs.options import audio_verb, hiding, load_model
from audiofix.verbs.types import Number

if TYPE_CHECKING:
    from audiofix.audio.folder import Wanted
    from audiofix.codes.layout import CodeLayout
    from audiofix.jobs.coding import Player
    from audiofix.streaming.codec import Codec

    Opening = Callable[[CodeLayout], Codec]

EXAMPLES = (
    ("One file", "audiofix decode speech.afc -o speech.wav"),
    ("Through the loudspeaker", "audiofix decode memo.afc --play"),
    ("In a pipe", "ssh host cat talk.afc | audiofix decode | aplay"),
    ("There and back, with its high band restored",
     "audiofix encode x.wav | audiofix decode | audiofix upsample --to 48k -o y.wav"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decode:
    """The effect of this verb."""

    vocoder: bool | None
    realtime: bool
    max_gap_seconds: float
    player: "Player | None"
    computing: Computing
    takes: ClassVar["Wanted"] = "codes"
    makes: str | None = None
    reads: ClassVar[bool] = True

    @property
    def writes(self) -> bool:
        """Whether it has an output; a loudspeaker is none."""
        return self.player is None

    def load(self) -> "Opening":
        """Return what opens the codec that codes were made with, once for each."""
        from functools import cache

        @cache
        def opened(model: str) -> "Codec":
            codec: Codec = load_model("decode", replace(self.computing, model=model))
            return codec

        return lambda layout: opened(self.computing.model or layout.model)

    def run(
        self,
        job: Job,
        loaded: "Callable[[], Opening]",
        io: IOOptions,
        progress: Progress | None = None,
    ) -> None:
        """Decode one stream. The length of codes is known at their end: nothing is told before."""
        from audiofix.jobs.coding import decode

        decode(
            job,
            loaded,
            io,
            realtime=self.realtime,
            vocoder=self.vocoder,
            max_gap_seconds=self.max_gap_seconds,
            player=self.player,
        )


@hiding("rate", "channels", "encoding")
@click.command("decode")
@click.option(
    "--vocoder/--no-vocoder",
    default=None,
    help="Use the model's vocoder, or its own decoder; default: what it has.",
)
@click.option(
    "--realtime", is_flag=True, help="Decode frame by frame; report delays and under-runs."
)
@click.option(
    "--max-gap",
    type=Number(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="The most silence for missing codes, in total.",
)
@click.option("--play", is_flag=True, help="Play the sound instead of writing it.")
@click.option("--device-name", metavar="NAME", help="The loudspeaker: part of its name, or number.")
@audio_verb
def command(
    options: AudioOptions,
    vocoder: bool | None,
    realtime: bool,
    max_gap: float,
    play: bool,
    device_name: str | None,
) -> Decode:
    """Decode the codes of a neural codec (.afc) to sound.

    The result has the rate, the channels and exactly the length of what was encoded. The model is
    the one that the codes name; another one is refused unless it has the same codebooks. Where
    codes are damaged or missing there is silence, the rest is decoded, and the status is 3.
    """
    if (options.rate, options.channels, options.encoding) != (None, None, None):
        raise UsageError("-r, -c and -e: codes say themselves what they are: leave them out")
    if realtime:
        use_threads(options.threads or LIVE_THREADS)
    player = None
    if play:
        player = _player(device_name, options)
    elif device_name is not None:
        raise UsageError("--device-name: names a loudspeaker: add --play")
    return Decode(vocoder, realtime, max_gap, player, options.computing)


def _player(name: str | None, options: AudioOptions) -> "Player":
    """Return what --play means."""
    if (options.output, options.kind, options.bits) != (None, None, None):
        raise UsageError("--play: writes nothing: leave -o, -t and -b out")
    from audiofix.jobs.coding import Player

    return Player(name)
