"""`audiofix decode`: the codes of a neural codec to sound."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.errors import UsageError
from audiofix.verbs.effect import Progress, Writing
from audiofix.verbs.options import AudioOptions, Shell, audio_verb, is_offline

if TYPE_CHECKING:
    from audiofix.audio.folder import Pair
    from audiofix.backends.tasks import Codec
    from audiofix.codes.layout import CodeLayout
    from audiofix.verbs.coding import Player

    Opening = Callable[[CodeLayout], Codec]

EXAMPLES = (
    ("One file", "audiofix decode speech.afc -o speech.wav"),
    ("Through the loudspeaker", "audiofix decode memo.afc --play"),
    ("In a pipe", "ssh host cat talk.afc | audiofix decode | aplay"),
    ("There and back, with its high band restored",
     "audiofix encode x.wav | audiofix decode | audiofix upsample --to 48k -o y.wav"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoder:
    """The effect of this verb (`verbs.effect.Effect`)."""

    vocoder: bool | None
    realtime: bool
    player: "Player | None"
    model: str | None
    device: str
    precision: str
    offline: bool | None
    makes: str | None = None

    def takes(self, path: Path) -> bool:
        """Tell codes by their content."""
        from audiofix.audio.folder import is_codes

        return is_codes(path)

    def load(self) -> "Opening":
        """Return what opens the codec that codes were made with, once for each."""
        from functools import cache

        from audiofix.backends.placement import place
        from audiofix.backends.systems import load
        from audiofix.codes.layout import CodeLayout

        placement = place(self.device, self.precision)

        @cache
        def opened(model: str) -> "Codec":
            codec: Codec = load("decode", model, placement, offline=self.offline)
            return codec

        def opening(layout: CodeLayout) -> "Codec":
            return opened(self.model or layout.model)

        return opening

    def process(
        self,
        pair: "Pair",
        loaded: "Callable[[], Opening]",
        writing: Writing,
        progress: Progress | None = None,
    ) -> None:
        """Decode one stream."""
        from audiofix.verbs.coding import decode

        decode(
            pair,
            loaded,
            writing,
            progress,
            realtime=self.realtime,
            vocoder=self.vocoder,
            player=self.player,
        )


@click.command("decode")
@click.option(
    "--vocoder/--no-vocoder",
    default=None,
    help="Use the model's vocoder, or its own decoder; default: what it has.",
)
@click.option(
    "--realtime", is_flag=True, help="Decode frame by frame; report delays and under-runs."
)
@click.option("--play", is_flag=True, help="Play the sound instead of writing it.")
@click.option("--device-name", metavar="NAME", help="The loudspeaker: part of its name, or number.")
@audio_verb
def command(
    options: AudioOptions,
    vocoder: bool | None,
    realtime: bool,
    play: bool,
    device_name: str | None,
) -> None:
    """Decode the codes of a neural codec (.afc) to sound.

    The result has the rate, the channels and exactly the length of what was encoded. The model is
    the one that the codes name; another one is refused unless it has the same codebooks. Where
    codes are damaged or missing there is silence, the rest is decoded, and the status is 3.
    """
    if (options.rate, options.channels, options.encoding) != (None, None, None):
        raise UsageError("-r, -c and -e: codes say themselves what they are: leave them out")
    player = None
    if play:
        player, options = _player(device_name, options)
    elif device_name is not None:
        raise UsageError("--device-name: names a loudspeaker: add --play")
    effect = Decoder(
        vocoder, realtime, player,
        options.model, options.device, options.precision, is_offline(options),
    )  # fmt: skip
    shell: Shell = click.get_current_context().find_root().obj
    from audiofix.verbs.pipeline import perform

    perform(effect, options, shell)


def _player(name: str | None, options: AudioOptions) -> "tuple[Player, AudioOptions]":
    """Return what --play means, and the other options with an output that nobody writes."""
    if (options.output, options.kind, options.bits) != (None, None, None):
        raise UsageError("--play: writes nothing: leave -o, -t and -b out")
    from audiofix.verbs.coding import Player
    from audiofix.verbs.pipeline import is_batch

    if is_batch(options.inputs):
        raise UsageError("--play: plays one stream: name one INPUT")
    return Player(name), replace(options, output=os.devnull)
