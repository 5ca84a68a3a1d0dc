"""`audiofix eval`: how close estimates come to their references, in numbers, sound and pictures."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from audiofix.errors import BatchError, InputError, UsageError
from audiofix.evaluation.options import Options
from audiofix.verbs.options import (
    Choices,
    Codings,
    Cutoff,
    Rates,
    ResultRate,
    computing_options,
    load_model,
    shell,
    talkative,
)

if TYPE_CHECKING:
    from audiofix.evaluation.comparison import Measuring
    from audiofix.evaluation.trials import Trial
    from audiofix.streaming.stage import Stage

EXAMPLES = (
    ("Two files, or two folders with the same names", "audiofix eval clean.wav restored.wav"),
    (
        "A model, from four input rates, beside plain resampling",
        "audiofix eval -m vmasr-small-48k --data studio/ --input-rates 8k,16k --to 48k",
    ),
    (
        "A codec, beside plain resampling and Opus",
        "audiofix eval -m codec.safetensors --data speech/ --baseline opus --metrics si-sdr,stoi",
    ),
    (
        "A restorer, on real MP3 and Opus of its own making, beside what they give back",
        "audiofix eval -m apollo-small-44k --data music/ --codec mp3:64k,mp3:128k,opus:32k",
    ),
    (
        "A model that fills gaps, beside what needs no model",
        "audiofix eval -m a2sb-small-44k --data music/ --gaps 0.15:5",
    ),
    (
        "A generator of digits, judged by a classifier beside real ones",
        "audiofix eval -m asgan-small-digits-16k --data digits/ --count 1000",
    ),
    (
        "For a paper: every file, every figure, and a page to listen to",
        "audiofix eval clean/ restored/ --cutoff 8k --json r.json --csv r.csv --html r.html",
    ),
)

METRICS = (
    "snr", "si-sdr", "lsd", "lsd-hf", "lsd-lf", "rtf", "bitrate", "delay", "level", "seam", "stoi",
    "pesq", "visqol", "loudness",
)  # fmt: skip
Kind = Literal["files", "upsampler", "codec", "restorer", "inpainter", "generator"]
_LSD_PRESETS = ("standard", "vmasr", "ssr-eval", "decibel")
_EXAMPLES_SHOWN = 8


def run(options: Options) -> None:
    """Evaluate, and write what was found.

    Raises:
        UsageError: options that do not fit together, or a metric whose library is absent.
        InputError: the only recording cannot be read or does not match its reference.
        BatchError: some recordings could not be evaluated.
    """
    from audiofix.evaluation.findings import Findings, means_of
    from audiofix.evaluation.reports import report_findings
    from audiofix.evaluation.trials import perform
    from audiofix.jobs.options import use_threads

    options.check()
    use_threads(options.threads)
    kind = _kind(options)
    if kind == "generator":
        _evaluate_generator(options)
        return
    measuring = _measuring(options, kind)
    prepare = {
        "files": _file_trials, "upsampler": _model_trials, "codec": _codec_trials,
        "restorer": _restorer_trials, "inpainter": _gap_trials,
    }[kind]  # fmt: skip
    subject, trials = prepare(options, measuring)
    if not trials:
        raise InputError("eval: nothing matches --include: change the pattern")
    outcome = perform(trials, _EXAMPLES_SHOWN, shell())
    if not outcome.results:
        raise outcome.failures[0]
    found = Findings(
        subject,
        measuring.metrics,
        measuring.definition.settings(outcome.results[0].rate),
        outcome.results,
        means_of(outcome.results, measuring.metrics, options.seed),
    )
    report_findings(found, outcome.excerpts, options.targets, means_only=options.means)
    if outcome.failures:
        failed = f"{len(outcome.failures)} of {len(trials)}"
        raise BatchError(f"{failed} comparisons failed: the others are in the report")


def _kind(options: Options) -> Kind:
    """Return what is evaluated."""
    if options.codings or options.pairs:
        return "restorer"
    if options.gaps:
        return "inpainter"
    if options.model:
        from audiofix.backends.systems import tasks_of

        tasks = tasks_of(options.model, offline=True if options.offline else None)
        if "encode" in tasks or "generate" in tasks:
            return "codec" if "encode" in tasks else "generator"
    if options.baseline:
        raise UsageError(f"--baseline {options.baseline}: is for codecs: name one with -m")
    return "upsampler" if options.data else "files"


def _measuring(options: Options, kind: Kind) -> "Measuring":
    from audiofix.evaluation.comparison import Measuring
    from audiofix.metrics.perceptual import require
    from audiofix.metrics.score import BANDED, usual_metrics
    from audiofix.metrics.spectral import DEFINITIONS

    missing = {}
    if kind == "files":
        missing["rtf"] = "needs a model: give --data"
        if options.cutoff is None:
            missing |= dict.fromkeys(BANDED, "the input's band is not known: give --cutoff HZ")
    if kind != "codec":
        missing |= dict.fromkeys(("bitrate", "delay"), "needs a codec: give --data and -m")
    if kind != "inpainter":
        missing |= dict.fromkeys(("level", "seam"), "are of filled gaps: give --gaps")
    metrics = options.metrics or tuple(m for m in usual_metrics(kind) if m not in missing)
    for name in metrics:
        if name in missing:
            raise UsageError(f"metric {name}: {missing[name]}")
        require(name)
    definition = DEFINITIONS[options.lsd_preset]
    return Measuring(metrics, definition, options.cutoff, options.html is not None)


def _file_trials(options: Options, measuring: "Measuring") -> tuple[dict[str, str], list["Trial"]]:
    from audiofix.evaluation.recordings import is_included
    from audiofix.evaluation.trials import file_trials

    included = partial(is_included, patterns=options.include)
    reference, estimate = str(options.reference), str(options.estimate)
    trials = file_trials(Path(reference), Path(estimate), included, measuring)
    return {"reference": reference, "estimate": estimate}, trials


def _model_trials(options: Options, measuring: "Measuring") -> tuple[dict[str, str], list["Trial"]]:
    from audiofix.audio.format import AudioFormat
    from audiofix.backends.systems import chosen_model
    from audiofix.backends.tasks import UpsampleRequest
    from audiofix.evaluation.comparison import warm_up
    from audiofix.evaluation.trials import model_trials
    from audiofix.jobs.job import Stream
    from audiofix.verbs.upsample import Upsample

    recordings = _recordings(options)
    model = chosen_model("upsample", options.model, options.to)
    request = UpsampleRequest(options.to, seed=options.seed)
    effect = Upsample(request, replace(options.computing, model=model))
    restorer = effect.load()

    def make_stage(source: AudioFormat) -> "Stage":
        return effect.stage(Stream("eval", source), restorer)

    warm_up(make_stage, AudioFormat(options.input_rates[0], 1))
    trials = model_trials(recordings, options.input_rates, options.to, make_stage, measuring)
    return {"model": str(model), "data": str(options.data)}, trials


def _codec_trials(options: Options, measuring: "Measuring") -> tuple[dict[str, str], list["Trial"]]:
    from audiofix.audio.format import AudioFormat
    from audiofix.evaluation.comparison import warm_up
    from audiofix.evaluation.trials import codec_trials
    from audiofix.streaming.roundtrip import RoundTrip

    recordings = _recordings(options)
    codec = load_model("encode", options.computing)
    warm_up(partial(RoundTrip, codec), AudioFormat(codec.layout.rate, 1))
    trials = codec_trials(recordings, codec, measuring, opus=options.baseline == "opus")
    return {"model": str(options.model), "data": str(options.data)}, trials


def _restorer_trials(
    options: Options, measuring: "Measuring"
) -> tuple[dict[str, str], list["Trial"]]:
    from audiofix.audio.format import AudioFormat
    from audiofix.audio.pairs import found_pairs
    from audiofix.backends.systems import chosen_model
    from audiofix.backends.tasks import DecodeRestoreRequest
    from audiofix.evaluation.comparison import warm_up
    from audiofix.evaluation.recordings import is_included
    from audiofix.evaluation.trials import lossy_trials, pair_trials

    model = chosen_model("decode-restore", options.model)
    restorer = load_model("decode-restore", replace(options.computing, model=model))
    request = DecodeRestoreRequest(seed=options.seed)

    def make_stage(source: AudioFormat) -> "Stage":
        stage: Stage = restorer.stage(source, request)
        return stage

    warm_up(make_stage, AudioFormat(restorer.rate, 1))
    data = str(options.pairs or options.data)
    if options.pairs:
        found = found_pairs(Path(data)).items()
        pairs = {name: pair for name, pair in found if is_included(name, options.include)}
        trials = pair_trials(pairs, make_stage, measuring)
    else:
        chosen = _recordings(options)
        trials = lossy_trials(chosen, options.codings, make_stage, measuring)
    return {"model": str(model), "data": data}, trials


def _gap_trials(options: Options, measuring: "Measuring") -> tuple[dict[str, str], list["Trial"]]:
    from audiofix.evaluation.gap_comparison import GapPlan, gap_fillers
    from audiofix.evaluation.trials import gap_trials

    plan = GapPlan.parse(str(options.gaps))
    makers = gap_fillers(options.computing, options.seed)
    trials = gap_trials(_recordings(options), plan, makers, measuring)
    return {"model": next(iter(makers)), "data": str(options.data), "gaps": str(plan)}, trials


def _recordings(options: Options) -> dict[str, Path]:
    from audiofix.evaluation.recordings import chosen_recordings

    return chosen_recordings(Path(str(options.data)), options.split, options.include)


def _evaluate_generator(options: Options) -> None:
    from audiofix.evaluation.generation import evaluate_generator
    from audiofix.evaluation.reports import report_generator
    from audiofix.trainers.data.words import DIGITS, words

    if options.html or options.metrics:
        raise UsageError("--html and --metrics: a generator has its own table: leave them out")
    data = Path(str(options.data))
    real = {
        split: [word.path for word in words(data, split, DIGITS)]
        for split in ("train", "validation")
    }
    judge = load_model("eval", replace(options.computing, model=options.classifier))
    model = load_model("generate", options.computing)
    with shell().bar("generated", options.count, "recording") as tick:
        found = evaluate_generator(
            model, judge, real, count=options.count, seed=options.seed, progress=tick
        )
    about = {"model": model.name, "classifier": judge.name, "data": str(data), "seed": options.seed}
    report_generator(found, about, options.targets)


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
    extensions aside. Rates, channels and lengths must agree.

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
    run(options)
