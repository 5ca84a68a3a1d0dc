"""Carry out what `audiofix eval` was asked for: which comparisons, with what, and the report."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from audiofix.audio.format import AudioFormat
from audiofix.audio.pairs import found_pairs
from audiofix.backends.chosen import chosen_model
from audiofix.backends.systems import load_for, tasks_of
from audiofix.backends.tasks import (
    DecodeRestoreRequest,
    InpaintRequest,
    Restorer,
    UpsampleRequest,
)
from audiofix.errors import BatchError, InputError, UsageError
from audiofix.evaluation.codec_comparison import compare_codec
from audiofix.evaluation.comparison import MODEL, Measuring
from audiofix.evaluation.damage import Coded, CodedBefore, Damage, Downsampled, Gapped
from audiofix.evaluation.damage_comparison import Restoring, compare_damaged
from audiofix.evaluation.findings import Findings, means_of
from audiofix.evaluation.generation import evaluate_generator
from audiofix.evaluation.options import Options
from audiofix.evaluation.recordings import chosen_recordings, is_included
from audiofix.evaluation.reports import report_findings, report_generator
from audiofix.evaluation.trials import Trial, file_trials, perform
from audiofix.jobs.options import Shell
from audiofix.metrics.perceptual import require
from audiofix.metrics.score import BANDED, usual_metrics
from audiofix.metrics.spectral import DEFINITIONS
from audiofix.streaming.roundtrip import RoundTrip
from audiofix.streaming.stage import Stage

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
        "files": _file_trials, "upsampler": _upsampler_trials, "codec": _codec_trials,
        "restorer": _restorer_trials, "inpainter": _inpainter_trials,
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


def _upsampler_trials(options: Options, measuring: Measuring) -> Prepared:
    recordings = _recordings(options).items()
    request = UpsampleRequest(options.to, seed=options.seed)
    model, restorer = _restorer("upsample", options.model, options, options.to)
    _warm_up(restorer.stage(AudioFormat(options.input_rates[0], 1), request))
    models = {MODEL: lambda damaged: restorer.stage(damaged.given, request)}
    trials: list[Trial] = [
        partial(compare_damaged, name, path, Downsampled(rate, options.to), models, measuring)
        for name, path in recordings
        for rate in options.input_rates
    ]
    return {"model": model, "data": str(options.data)}, trials


def _restorer_trials(options: Options, measuring: Measuring) -> Prepared:
    damages: list[tuple[str, Path, Damage]]
    if options.pairs:
        data = options.pairs
        found = found_pairs(Path(data)).items()
        damages = [
            (name, original, CodedBefore(coded))
            for name, (original, coded) in found
            if is_included(name, options.include)
        ]
    else:
        data = str(options.data)
        recordings = _recordings(options).items()
        damages = [(*one, Coded(coding)) for one in recordings for coding in options.codings]
    request = DecodeRestoreRequest(seed=options.seed)
    model, restorer = _restorer("decode-restore", options.model, options)
    _warm_up(restorer.stage(AudioFormat(restorer.rate, 1), request))
    models = {MODEL: lambda damaged: restorer.stage(damaged.given, request)}
    trials: list[Trial] = [
        partial(compare_damaged, *damage, models, measuring) for damage in damages
    ]
    return {"model": model, "data": data}, trials


def _inpainter_trials(options: Options, measuring: Measuring) -> Prepared:
    """Prepare the model that was asked for, and beside it the default of `inpaint`."""
    recordings, damage = _recordings(options).items(), Gapped.parse(str(options.gaps))

    def filling(restorer: Restorer[InpaintRequest]) -> Restoring:
        return lambda damaged: restorer.stage(
            damaged.given, InpaintRequest(damaged.gaps_seconds, seed=options.seed)
        )

    names = {chosen_model("inpaint", name): None for name in (options.model, None)}
    models = {name: filling(_restorer("inpaint", name, options)[1]) for name in names}
    trials: list[Trial] = [
        partial(compare_damaged, *recording, damage, models, measuring) for recording in recordings
    ]
    return {"model": next(iter(models)), "data": str(options.data), "gaps": str(damage)}, trials


def _codec_trials(options: Options, measuring: Measuring) -> Prepared:
    recordings = _recordings(options).items()
    codec = load_for("encode", options.computing)
    make_stage, with_opus = partial(RoundTrip, codec), options.baseline == "opus"
    _warm_up(make_stage(AudioFormat(codec.layout.rate, 1)))
    trials: list[Trial] = [
        partial(compare_codec, *one, codec.layout, make_stage, measuring, opus=with_opus)
        for one in recordings
    ]
    return {"model": str(options.model), "data": str(options.data)}, trials


def _restorer(task: str, model: str | None, options: Options, rate: int = 0) -> tuple[str, Any]:
    """Return the name of the model that the user's word means, and the model."""
    name = chosen_model(task, model, rate)
    return name, load_for(task, replace(options.computing, model=name), rate=rate)


def _warm_up(stage: Stage) -> None:
    """Let a model run once, so that no real-time factor holds what first use costs."""
    stage.push(np.zeros((stage.source.channels, stage.source.rate), np.float32))
    stage.flush()


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
    classifier = load_for("eval", replace(options.computing, model=options.classifier))
    model = load_for("generate", options.computing)
    with shell.bar("generated", options.count, "recording") as tick:
        found = evaluate_generator(
            model, classifier, real, count=options.count, seed=options.seed, progress=tick
        )
    about = {
        "model": model.name,
        "classifier": classifier.name,
        "data": str(data),
        "seed": options.seed,
    }
    report_generator(found, about, options.targets)
