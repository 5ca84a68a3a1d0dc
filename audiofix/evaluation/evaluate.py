"""Carry out what `audiofix eval` was asked for: which comparisons, with what, and the report."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from audiofix.audio.format import AudioFormat
from audiofix.audio.pairs import found_pairs
from audiofix.backends.systems import chosen_model, load_for, tasks_of
from audiofix.backends.tasks import DecodeRestoreRequest, UpsampleRequest
from audiofix.errors import BatchError, InputError, UsageError
from audiofix.evaluation.comparison import Measuring, warm_up
from audiofix.evaluation.findings import Findings, means_of
from audiofix.evaluation.gap_comparison import GapPlan, gap_fillers
from audiofix.evaluation.generation import evaluate_generator
from audiofix.evaluation.options import Options
from audiofix.evaluation.recordings import chosen_recordings, is_included
from audiofix.evaluation.reports import report_findings, report_generator
from audiofix.evaluation.trials import (
    Trial,
    codec_trials,
    file_trials,
    gap_trials,
    lossy_trials,
    model_trials,
    pair_trials,
    perform,
)
from audiofix.jobs.options import Shell
from audiofix.metrics.perceptual import require
from audiofix.metrics.score import BANDED, usual_metrics
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.roundtrip import RoundTrip

Kind = Literal["files", "upsampler", "codec", "restorer", "inpainter", "generator"]
Prepared = tuple[dict[str, str], list[Trial]]
"""What is evaluated, for the report; and the comparisons to make."""

_EXAMPLES_SHOWN = 8


def evaluate(options: Options, shell: Shell) -> None:
    """Evaluate, and write what was found.

    Raises:
        UsageError: options that do not fit together, or a metric whose library is absent.
        InputError: the only recording cannot be read or does not match its reference.
        BatchError: some recordings could not be evaluated.
    """
    kind = _kind(options)
    if kind == "generator":
        _evaluate_generator(options, shell)
        return
    measuring = _measuring(options, kind)
    prepare = {
        "files": _file_trials, "upsampler": _model_trials, "codec": _codec_trials,
        "restorer": _restorer_trials, "inpainter": _gap_trials,
    }[kind]  # fmt: skip
    subject, trials = prepare(options, measuring)
    if not trials:
        raise InputError("eval: nothing matches --include: change the pattern")
    outcome = perform(trials, _EXAMPLES_SHOWN, shell)
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
        tasks = tasks_of(options.model, offline=True if options.offline else None)
        if "encode" in tasks or "generate" in tasks:
            return "codec" if "encode" in tasks else "generator"
    if options.baseline:
        raise UsageError(f"--baseline {options.baseline}: is for codecs: name one with -m")
    return "upsampler" if options.data else "files"


def _measuring(options: Options, kind: Kind) -> Measuring:
    missing = {}
    if kind == "files":
        missing["rtf"] = "needs a model: give --data"
        if options.cutoff is None and options.input is None:
            missing |= dict.fromkeys(
                BANDED, "the input's band is not known: give --input or --cutoff HZ"
            )
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


def _file_trials(options: Options, measuring: Measuring) -> Prepared:
    included = partial(is_included, patterns=options.include)
    reference, estimate = str(options.reference), str(options.estimate)
    given = Path(options.input) if options.input else None
    trials = file_trials(Path(reference), Path(estimate), given, included, measuring)
    subject = {"reference": reference, "estimate": estimate}
    if options.input:
        subject["input"] = options.input
    return subject, trials


def _model_trials(options: Options, measuring: Measuring) -> Prepared:
    recordings = _recordings(options)
    model = chosen_model("upsample", options.model, options.to)
    restorer = load_for("upsample", replace(options.computing, model=model), rate=options.to)
    make_stage = partial(restorer.stage, request=UpsampleRequest(options.to, seed=options.seed))
    warm_up(make_stage, AudioFormat(options.input_rates[0], 1))
    trials = model_trials(recordings, options.input_rates, options.to, make_stage, measuring)
    return {"model": model, "data": str(options.data)}, trials


def _codec_trials(options: Options, measuring: Measuring) -> Prepared:
    recordings = _recordings(options)
    codec = load_for("encode", options.computing)
    warm_up(partial(RoundTrip, codec), AudioFormat(codec.layout.rate, 1))
    trials = codec_trials(recordings, codec, measuring, opus=options.baseline == "opus")
    return {"model": str(options.model), "data": str(options.data)}, trials


def _restorer_trials(options: Options, measuring: Measuring) -> Prepared:
    model = chosen_model("decode-restore", options.model)
    restorer = load_for("decode-restore", replace(options.computing, model=model))
    make_stage = partial(restorer.stage, request=DecodeRestoreRequest(seed=options.seed))
    warm_up(make_stage, AudioFormat(restorer.rate, 1))
    data = str(options.pairs or options.data)
    if options.pairs:
        found = found_pairs(Path(data)).items()
        pairs = {name: pair for name, pair in found if is_included(name, options.include)}
        trials = pair_trials(pairs, make_stage, measuring)
    else:
        chosen = _recordings(options)
        trials = lossy_trials(chosen, options.codings, make_stage, measuring)
    return {"model": model, "data": data}, trials


def _gap_trials(options: Options, measuring: Measuring) -> Prepared:
    plan = GapPlan.parse(str(options.gaps))
    makers = gap_fillers(options.computing, options.seed)
    trials = gap_trials(_recordings(options), plan, makers, measuring)
    return {"model": next(iter(makers)), "data": str(options.data), "gaps": str(plan)}, trials


def _recordings(options: Options) -> dict[str, Path]:
    return chosen_recordings(Path(str(options.data)), options.split, options.include)


def _evaluate_generator(options: Options, shell: Shell) -> None:
    if options.html or options.metrics:
        raise UsageError("--html and --metrics: a generator has its own table: leave them out")
    from audiofix.trainers.data.words import DIGITS, words

    data = Path(str(options.data))
    real = {
        split: [word.path for word in words(data, split, DIGITS)]
        for split in ("train", "validation")
    }
    judge = load_for("eval", replace(options.computing, model=options.classifier))
    model = load_for("generate", options.computing)
    with shell.bar("generated", options.count, "recording") as tick:
        found = evaluate_generator(
            model, judge, real, count=options.count, seed=options.seed, progress=tick
        )
    about = {"model": model.name, "classifier": judge.name, "data": str(data), "seed": options.seed}
    report_generator(found, about, options.targets)
