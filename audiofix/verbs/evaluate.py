"""`audiofix eval`: how close estimates come to their references, in numbers, sound and pictures."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

import click

from audiofix.evaluation.options import Options
from audiofix.jobs.options import use_threads
from audiofix.verbs.options import computing_options, shell, talkative
from audiofix.verbs.types import Choices, Codings, Cutoff, Rates, ResultRate

EXAMPLES = (
    ("Two files, or two folders with the same names", "audiofix eval clean.wav restored.wav"),
    (
        "A codec, beside plain resampling and Opus",
        "audiofix eval -m codec.safetensors --data speech/ --baseline opus --metrics si-sdr,stoi",
    ),
    (
        "For a paper: every file, every figure, and a page to listen to",
        "audiofix eval clean/ restored/ --input given/ --json r.json --csv r.csv --html r.html",
    ),
)

METRICS = (
    "snr", "si-sdr", "lsd", "lsd-hf", "lsd-lf", "rtf", "bitrate", "delay", "level", "seam", "stoi",
    "pesq", "visqol", "loudness",
)  # fmt: skip
_LSD_PRESETS = ("standard", "halved-edge", "ssr-eval", "decibel")


def _gathered(function: Callable[[Options], None]) -> Callable[..., None]:
    """Hand the options on as one object."""

    def gathered(**given: Any) -> None:
        function(Options(**{field.name: given[field.name] for field in fields(Options)}))

    gathered.__doc__ = function.__doc__
    return gathered


_report_option = partial(click.option, metavar="FILE")


# fmt: off
@click.command("eval")
@click.argument("reference", required=False, metavar="[REFERENCE")
@click.argument("estimate", required=False, metavar="ESTIMATE]")
@click.option("--input", "input", metavar="PATH",
              help="What ESTIMATE was made of, file or folder: measured beside it.")
@click.option("--data", metavar="MANIFEST|FOLDER", help="Evaluate a model on these recordings.")
@click.option("--count", type=click.IntRange(100), default=1000, show_default=True, metavar="N",
              help="Recordings that a generator makes.")
@click.option("--classifier", metavar="NAME|FILE", help="What judges them; default: our own.")
@click.option("--split", default="validation", show_default=True, metavar="NAME",
              help="Split of the manifest; the beginning of its name will do.")
@click.option("--include", multiple=True, metavar="GLOB",
              help="Only recordings of this name, folder in front: 'speech48/*'. Repeatable.")
@click.option("--pairs", metavar="FOLDER",
              help="Evaluate a restorer on coded recordings here, beside their originals.")
@click.option("--codec", "codings", type=Codings(), default="", metavar="CODEC:RATE,...",
              help="Evaluate a restorer on --data after real codecs: mp3:64k,aac:48k,opus:32k.")
@click.option("--input-rates", type=Rates(), default="8k,12k,16k,24k", show_default=True,
              metavar="RATE,...", help="What the model is given.")
@click.option("--to", type=ResultRate(), default="48k", show_default=True, metavar="RATE",
              help="Rate of the model's result.")
@click.option("--gaps", metavar="LENGTH:EVERY",
              help="Cut gaps of LENGTH seconds into every EVERY seconds, and fill them.")
@click.option("--metrics", type=Choices(*METRICS), metavar="NAME,...",
              help=f"Some of {', '.join(METRICS)}; default: the first six, as far as known, and "
                   "pesq, stoi and visqol where they are installed.")
@click.option("--lsd-preset", type=click.Choice(_LSD_PRESETS), default="standard",
              show_default=True, help="Definition of the log-spectral distances.")
@click.option("--cutoff", type=Cutoff(), default="auto", show_default=True, metavar="auto|HZ",
              help="Border of lsd-lf and lsd-hf; auto is half the input rate, or the codec's.")
@click.option("--baseline", type=click.Choice(["opus"]),
              help="What to measure beside a codec, at its bit rate or the next possible one.")
@click.option("--means", is_flag=True, help="Print the means only.")
@_report_option("--json", help="Write everything as JSON; - for standard output.")
@_report_option("--csv", help="Write every result as CSV; - for standard output.")
@_report_option("--html", help="Write a page with tables, spectrograms and players.")
@click.option("--overwrite", is_flag=True, help="Replace reports that exist.")
@computing_options
@talkative
@_gathered
# fmt: on
def command(options: Options) -> None:
    """Measure estimates against their references.

    Two files are compared sample by sample; two folders by the names of their recordings,
    extensions aside. Rates, channels and lengths must agree. What the estimates were made of,
    --input, is resampled and measured beside them.

    With --data a model is measured instead: each recording is resampled to each of --input-rates
    and stored as 16 bits, and what the model makes of it is measured against the recording, beside
    plain resampling (sinc) of the same input. rtf is seconds of computing per second of sound.
    Recordings of a lower rate than --to have nothing up there to be measured against.

    With --codec each recording passes a real codec instead: mp3, aac, opus or vorbis, at a bit
    rate of the whole stream, or mp3:v0 to mp3:v9. What `decode-restore` makes of it is measured
    beside what the codec gave back. With --pairs the coded recordings are yours: in folders
    original/ and codec/, or one of each in every folder. lsd-lf and lsd-hf lie below and above the
    end of the coded recording's band.

    Of a codec, what comes back is measured at the recording's own rate, beside the recording
    resampled to the codec's rate and back. --input-rates and --to do not matter. Each is brought in
    time with the recording first; delay says by how much. bitrate is of the bare codes.

    With --gaps, what a model, the default of `inpaint` and zeros put into gaps is measured there.
    level is the error of the level, seam that of the second difference at the edges, in dB.

    SNR and SI-SDR are in dB. The log-spectral distances follow --lsd-preset; the definition is
    printed with them. stoi, pesq and loudness need `pip install 'audiofix[eval]'`, visqol needs
    `pip install visqol-python`. Means have a 95% bootstrap interval.

    A generator of digits makes --count recordings, which --classifier judges beside the digits of
    --data (its splits train and validation; folders or names say which digit): how many it is sure
    of, the classes' shares, and the scores that papers give, with natural logarithms.

    The page of --html stands alone. It shows the first 8 comparisons, 8 seconds of each, with 32 MB
    of sound at most.
    """
    options.check()
    use_threads(options.threads)  # before torch is loaded
    from audiofix.evaluation.evaluate import evaluate

    evaluate(options, shell())
