"""`audiofix encode`: sound to the codes of a neural codec."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.errors import UsageError
from audiofix.verbs.effect import Progress, Writing
from audiofix.verbs.options import AudioOptions, Shell, audio_verb, is_offline

if TYPE_CHECKING:
    from audiofix.audio.folder import Pair
    from audiofix.backends.base import Codec

EXAMPLES = (
    ("One file", "audiofix encode speech.wav -o speech.afc"),
    ("Over a network, live",
     "arecord -f S16_LE -r 16000 | audiofix encode --realtime | ssh host audiofix decode | aplay"),
    ("At half the bit rate", "audiofix encode speech.wav --codebooks 4 -o small.afc"),
    ("A folder", "audiofix encode talks/ -o coded/ -j 2"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encoding:
    """The effect of this verb (`verbs.effect.Effect`)."""

    bitrate: float | None
    codebooks: int | None
    denoise: bool
    entropy: bool
    realtime: bool
    model: str | None
    device: str
    precision: str
    offline: bool | None
    makes: str | None = "afc"

    def takes(self, path: Path) -> bool:
        """Tell audio by its content."""
        from audiofix.audio.folder import is_audio

        return is_audio(path)

    def load(self) -> "Codec":
        """Load the codec."""
        from audiofix.backends.registry import load_codec

        return load_codec(
            self.model,
            verb="encode",
            rate=0,
            device=self.device,
            precision=self.precision,
            offline=self.offline,
            denoise=self.denoise,
        )

    def process(
        self,
        pair: "Pair",
        loaded: "Callable[[], Codec]",
        writing: Writing,
        progress: Progress | None = None,
    ) -> None:
        """Encode one recording."""
        from audiofix.verbs.coding import encode

        encode(
            pair,
            loaded,
            writing,
            progress,
            codebooks=self.codebooks_of,
            entropy=self.entropy,
            realtime=self.realtime,
        )

    def codebooks_of(self, codec: "Codec") -> int:
        """Return how many codebooks the wishes mean.

        Raises:
            UsageError: the codec has not so many, or the bit rate is below that of one.
        """
        layout = codec.layout
        if self.codebooks is not None:
            if self.codebooks > layout.codebooks:
                raise UsageError(
                    f"--codebooks {self.codebooks}: {codec.name} has {layout.codebooks}: use fewer"
                )
            return self.codebooks
        if self.bitrate is None:
            return layout.codebooks
        per_book = layout.bits_per_second / layout.codebooks / 1000
        books = min(layout.codebooks, int(self.bitrate / per_book + 1e-9))
        if not books:
            raise UsageError(
                f"--bitrate {self.bitrate:g}: {codec.name} needs at least {per_book:g} kbit/s: "
                "ask for more"
            )
        return books


@click.command("encode")
@click.option(
    "--bitrate",
    type=click.FloatRange(0, min_open=True),
    metavar="KBPS",
    help="The most kilobits a second and channel; codebooks are left out for it.",
)
@click.option(
    "--codebooks", type=click.IntRange(1), metavar="N", help="Codebooks to write, the first N."
)
@click.option("--denoise", is_flag=True, help="Leave noise out, with a model that can.")
@click.option(
    "--entropy/--no-entropy",
    default=False,
    show_default=True,
    help="Range-code packets that become shorter by it; slower.",
)
@click.option(
    "--realtime", is_flag=True, help="Send every few frames at once; report delays and under-runs."
)
@audio_verb
def command(
    options: AudioOptions,
    bitrate: float | None,
    codebooks: int | None,
    denoise: bool,
    entropy: bool,
    realtime: bool,
) -> None:
    """Encode sound as the codes of a neural codec (.afc).

    The input may have any rate and any number of channels; each channel is coded by itself. The
    codes know the exact length: `audiofix decode` gives back as many samples. Fewer codebooks make
    fewer bits and a rougher sound.
    """
    if bitrate is not None and codebooks is not None:
        raise UsageError("--bitrate and --codebooks: give one of them")
    if options.kind is not None or options.bits is not None:
        raise UsageError("-t and -b: codes have one type: leave them out")
    effect = Encoding(
        bitrate, codebooks, denoise, entropy, realtime,
        options.model, options.device, options.precision, is_offline(options),
    )  # fmt: skip
    shell: Shell = click.get_current_context().find_root().obj
    from audiofix.verbs.pipeline import perform

    perform(effect, options, shell)
