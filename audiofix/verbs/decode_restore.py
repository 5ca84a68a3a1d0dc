"""`audiofix decode-restore`: undo what a lossy codec did to a recording."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from audiofix.jobs.job import Stream
from audiofix.jobs.options import AudioOptions, Computing
from audiofix.jobs.sound import SoundEffect
from audiofix.verbs.options import audio_verb, load_model, mix_option
from audiofix.verbs.types import ResultRate

if TYPE_CHECKING:
    from audiofix.backends.tasks import DecodeRestoreRequest, Restorer
    from audiofix.streaming.stage import Stage

EXAMPLES = (
    ("One file", "audiofix decode-restore old.mp3 -o restored.flac"),
    ("In a pipe", "ffmpeg -i old.m4a -f wav - | audiofix decode-restore | sox - restored.flac"),
    (
        "A folder: its tree is mirrored, finished files are skipped",
        "audiofix decode-restore albums/ -o restored/ -t flac -j 2",
    ),
    (
        "Half of what the model adds, on ten seconds",
        "audiofix decode-restore old.mp3 --mix 0.5 --start 1:20 --duration 10 -o try.wav",
    ),
    ("See first whether it is needed", "audiofix info old.mp3"),
)


@dataclass(frozen=True, slots=True)
class DecodeRestore(SoundEffect):
    """The effect of this verb."""

    request: "DecodeRestoreRequest"
    computing: Computing
    mix: float = 1.0

    def load(self) -> "Restorer[DecodeRestoreRequest]":
        """Load the model."""
        restorer: Restorer[DecodeRestoreRequest] = load_model("decode-restore", self.computing)
        return restorer

    def stage(self, source: Stream, loaded: "Restorer[DecodeRestoreRequest]") -> "Stage":
        """Return a fresh stage for one stream."""
        from audiofix.streaming.mixed import mixed

        return mixed(loaded.stage(source.format, self.request), self.mix)


@click.command("decode-restore")
@click.option(
    "--to",
    type=ResultRate(),
    metavar="RATE",
    help="Samples per second of the result; else the input's.",
)
@mix_option
@audio_verb
def command(options: AudioOptions, to: int | None, mix: float) -> DecodeRestore:
    """Restore music and speech that went through MP3, AAC or another lossy codec.

    What the codec left out is put back: the band above its cut-off, and holes below. The input is
    a coded file, or what was once decoded from one, at any rate and with any number of channels;
    each channel is processed by itself. The result is as long as the input, to the sample.

    Without INPUT, standard input is read; without -o, standard output is written, as 32-bit float
    samples behind a WAV header.
    """
    from audiofix.backends.tasks import DecodeRestoreRequest

    return DecodeRestore(DecodeRestoreRequest(to, options.seed), options.computing, mix)
