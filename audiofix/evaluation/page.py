"""Findings as one HTML page that needs nothing else: no network, no file beside it."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from audiofix.audio.embed import flac_bytes
from audiofix.evaluation.comparison import EXCERPT_SECONDS, Excerpt
from audiofix.evaluation.figure import data_url, figure
from audiofix.evaluation.findings import (
    Findings,
    best_methods,
    heading,
    input_label,
    number,
)
from audiofix.evaluation.meanings import MEANINGS

SOUND_BYTES = 32 << 20
"""Most bytes of sound in a page, as they stand in it; later examples have no players."""

_CAPTIONS = {
    "reference": "Reference",
    "input": "Input, resampled",
    "estimate": "Estimate",
    "sinc": "Input, by plain sinc resampling",
    "coded": "Input, as the codec gave it back",
    "model": "Model",
    "opus": "Opus",
    "zeros": "Gaps left empty",
}


def page(findings: Findings, excerpts: Sequence[Excerpt]) -> str:
    """Return the page: means, examples to see and hear, every result in a table that sorts."""
    text = files("audiofix.evaluation").joinpath("page.html").read_text(encoding="utf-8")
    comparisons = len({(r.name, r.input_rate, r.damage) for r in findings.results})
    return Template(text).substitute(
        title=escape(f"Evaluation: {', '.join(findings.subject.values())}"),
        subject=_definitions(findings.subject.items()),
        means_note=_means_note(findings),
        means=_means(findings),
        meanings=_meanings(findings),
        examples_note=(
            f"The first {EXCERPT_SECONDS:g} s of {len(excerpts)} of {comparisons} comparisons; "
            f"FLAC, 16 bits, {SOUND_BYTES >> 20} MB of sound at most. "
            "Dark is -100 dB, bright is full scale."
        ),
        examples="\n".join(_examples(excerpts)),
        results=_results(findings),
        lsd=_definitions((name.replace("_", " "), value) for name, value in findings.lsd.items()),
    )


def _definitions(pairs: Iterable[tuple[str, object]]) -> str:
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in pairs)


def _means_note(findings: Findings) -> str:
    note = "Over recordings. Bold where no method is better at its input."
    if any(mean.has_intervals for mean in findings.means):
        note += " Below each the 95% bootstrap interval."
    return note


def _means(findings: Findings) -> str:
    rows = []
    best = best_methods(findings)
    for mean in findings.means:
        given = _text(input_label(mean.input_rate, mean.damage))
        cells = [_text(mean.group), given, _text(mean.method), _count(mean.files)]
        for name, score in mean.scores.items():
            value = number(name, score.mean)
            if (*mean.conditions, mean.method, name) in best:
                value = f"<b>{value}</b>"
            if mean.has_intervals:
                ends = f"{number(name, score.low)} … {number(name, score.high)}"
                value += f"<small>{ends}</small>"
            cells.append(_value(score.mean, value))
        rows.append(cells)
    return _table(["folder", "input", "method", "files"], findings, rows)


def _meanings(findings: Findings) -> str:
    """Return what each column says, with an arrow to where better is."""
    preset = str(findings.lsd.get("preset", ""))
    return _definitions((heading(name, preset), MEANINGS[name]) for name in findings.metrics)


def _results(findings: Findings) -> str:
    rows = [
        [
            _text(result.name),
            _text(input_label(result.input_rate, result.damage)),
            _text(result.method),
            _value(result.samples / result.rate, f"{result.samples / result.rate:.2f}"),
            *(_value(result.scores[m], number(m, result.scores[m])) for m in findings.metrics),
        ]
        for result in findings.results
    ]
    return _table(["recording", "input", "method", "seconds"], findings, rows)


def _table(labels: Sequence[str], findings: Findings, rows: Sequence[Sequence[str]]) -> str:
    words = ("folder", "recording", "input", "method")
    preset = str(findings.lsd.get("preset", ""))
    heads = [
        f"<th{' class=text' if label in words else ''} data-column='{label}'>"
        f"<button>{label}</button></th>"
        for label in labels
    ]
    heads += [
        f"<th data-column='{name}'><button>{escape(heading(name, preset))}</button></th>"
        for name in findings.metrics
    ]
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _text(text: str) -> str:
    return f'<td class=text data-value="{escape(text)}">{escape(text)}</td>'


def _count(value: int | None) -> str:
    return _value(math.nan if value is None else value, "–" if value is None else str(value))


def _value(value: float, shown: str) -> str:
    """Return a cell; `shown` is HTML."""
    return f'<td data-value="{"" if math.isnan(value) else repr(value)}">{shown}</td>'


def _examples(excerpts: Sequence[Excerpt]) -> Iterable[str]:
    room = SOUND_BYTES
    for excerpt in excerpts:
        given = input_label(excerpt.input_rate, excerpt.damage)
        sounds = {
            method: data_url("audio/flac", flac_bytes(samples, excerpt.rate))
            for method, samples in excerpt.sounds.items()
            if samples.size
        }
        room -= sum(map(len, sounds.values()))
        yield f"<h3>{escape(excerpt.name)}, {escape(given)}</h3><div class=example>"
        for method, samples in excerpt.sounds.items():
            sound = sounds.get(method) if room >= 0 else None
            yield figure(method, _CAPTIONS.get(method, method), samples, excerpt.rate, sound)
        yield "</div>"
