"""`audiofix encode`: sound to the codes of a neural codec."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import click

from audiofix.errors import UsageError
from audiofix.jobs.job import IOOptions, Job, Progress
from audiofix.jobs.options import LIVE_THREADS, AudioOptions, Computing, use_threads
from audiofix.verbs.options import audio_verb, hiding, load_model
from audiofix.verbs.types import Number

if TYPE_CHECKING:
    from audiofix.audio.folder import Wanted
    from audiofix.jobs.coding import Microphone
    from audiofix.streaming.codec import Codec

EXAMPLES = (
    ("One file", "audiofix encode speech.wav -o speech.afc"),
    ("Over a network, live",
     "arecord -f S16_LE -r 16000 | audiofix encode --realtime | ssh host audiofix decode | aplay"),
    ("What you say, until Ctrl-C", "audiofix encode --mic -o memo.afc"),
    ("At half the bit rate", "audiofix encode speech.wav --codebooks 4 -o small.afc"),
    ("A folder", "audiofix encode talks/ -o coded/ -j 2"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encode:
    """The effect of this verb."""

    bitrate: float | None
    codebooks: int | None
    denoise: bool
    realtime: bool
    microphone: "Microphone | None"
    computing: Computing
    takes: ClassVar["Wanted"] = "audio"
    makes: str | None = "afc"
    writes: ClassVar[bool] = True

    @property
    def reads(self) -> bool:
        """Whether it has an input; a microphone is none."""
        return self.microphone is None

    def load(self) -> "Codec":
        """Load the codec, unless what is asked for goes beyond it."""
        from audiofix.backends.chosen import expected

        entry = expected("encode", self.computing, denoise=self.denoise)
        if entry and entry.codebooks:
            self._refuse_codebooks(entry.name, entry.codebooks)
        codec: Codec = load_model("encode", self.computing, denoise=self.denoise)
        return codec

    def run(
        self,
        job: Job,
        loaded: "Callable[[], Codec]",
        io: IOOptions,
        progress: Progress | None = None,
    ) -> None:
        """Encode one recording."""
        from audiofix.jobs.coding import encode

        encode(
            job,
            loaded,
            io,
            progress,
            codebooks=self.codebooks_of,
            realtime=self.realtime,
            microphone=self.microphone,
        )

    def codebooks_of(self, codec: "Codec") -> int:
        """Return how many codebooks the wishes mean.

        Raises:
            UsageError: the codec has not so many, or the bit rate is below that of one.
        """
        layout = codec.layout
        if self.codebooks is not None:
            self._refuse_codebooks(codec.name, layout.codebooks)
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

    def _refuse_codebooks(self, name: str, most: int) -> None:
        if self.codebooks is not None and self.codebooks > most:
            raise UsageError(f"--codebooks {self.codebooks}: {name} has {most}: use fewer")


@hiding("kind", "bits")
@click.command("encode")
@click.option(
    "--bitrate",
    type=Number(0, min_open=True),
    metavar="KBPS",
    help="The most kilobits a second and channel; codebooks are left out for it.",
)
@click.option(
    "--codebooks", type=click.IntRange(1), metavar="N", help="Codebooks to write, the first N."
)
@click.option("--denoise", is_flag=True, help="Leave noise out, with a model that can.")
@click.option(
    "--realtime", is_flag=True, help="Send every few frames at once; report delays and under-runs."
)
@click.option("--mic", is_flag=True, help="Record from the microphone until Ctrl-C; no INPUT.")
@click.option("--device-name", metavar="NAME", help="The microphone: part of its name, or number.")
@audio_verb
def command(
    options: AudioOptions,
    bitrate: float | None,
    codebooks: int | None,
    denoise: bool,
    realtime: bool,
    mic: bool,
    device_name: str | None,
) -> Encode:
    """Encode sound as the codes of a neural codec (.afc).

    The input may have any rate and any number of channels; each channel is coded by itself. The
    codes know the exact length: `audiofix decode` gives back as many samples. Fewer codebooks make
    fewer bits and a rougher sound.

    With --mic, -r and -c choose what is recorded: by default one channel at the codec's rate, or
    the device's where it lacks that. Ctrl-C and SIGTERM end the recording: its codes are finished
    whole, and the status tells the signal all the same (130, 143), as arecord's is not 0 either.
    """
    if bitrate is not None and codebooks is not None:
        raise UsageError("--bitrate and --codebooks: give one of them")
    if options.kind is not None or options.bits is not None:
        raise UsageError("-t and -b: codes have one type: leave them out")
    if realtime:
        use_threads(options.threads or LIVE_THREADS)
    microphone = None
    if mic:
        microphone = _microphone(device_name, options)
    elif device_name is not None:
        raise UsageError("--device-name: names a microphone: add --mic")
    return Encode(bitrate, codebooks, denoise, realtime, microphone, options.computing)


def _microphone(name: str | None, options: AudioOptions) -> "Microphone":
    """Return what --mic, -r and -c mean."""
    if options.inputs or options.encoding is not None:
        raise UsageError("--mic: records its input: leave INPUT and -e out")
    from audiofix.jobs.coding import Microphone

    return Microphone(name, options.rate, options.channels or 1)
