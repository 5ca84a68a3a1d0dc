"""What tab completes behind options and in the place of arguments.

click asks a parameter for its completions; those that know none of their own are given some here,
by name, and file names otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import click
from click.shell_completion import CompletionItem


def complete_values(command: click.Command) -> None:
    """Teach the parameters of a command, and of the commands below it, to complete values."""
    for parameter in command.params:
        own = type(parameter.type).shell_complete is not click.ParamType.shell_complete
        if own or (isinstance(parameter, click.Option) and parameter.is_flag):
            continue
        name = str(parameter.name)
        words, kind = _WORDS.get(name), parameter.type.name
        if words is None and kind not in ("text", "auto|hz"):
            continue  # a number
        # mypy: click's own method, of this one parameter.
        parameter.shell_complete = partial(_complete, words, name in _LISTS)  # type: ignore[method-assign]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            complete_values(below)


def _complete(
    words: Callable[[], Iterable[str]] | None,
    is_list: bool,
    _: click.Context,
    incomplete: str,
) -> list[CompletionItem]:
    """Return the words that go on from `incomplete`; the shell's file names where none does."""
    done = incomplete[: incomplete.rfind(",") + 1] if is_list else ""
    known = words() if words else ()
    found = [done + word for word in known if word.startswith(incomplete[len(done) :])]
    if found:
        return [CompletionItem(word) for word in sorted(found)]
    return [CompletionItem(incomplete, type="file")]


def _models() -> set[str]:
    from audiofix.checkpoints.catalogue import entries
    from audiofix.checkpoints.store import model_path

    imported = model_path("any").parent.glob("*.safetensors")
    return {"best", *entries(), *(path.stem for path in imported)}


def _presets() -> list[str]:
    from audiofix.verbs.train import presets

    return presets()


def _recipes() -> set[str]:
    return {preset.partition("-")[0] for preset in _presets()}


def _types() -> Iterable[str]:
    from audiofix.audio.types import TYPES

    return TYPES


def _encodings() -> Iterable[str]:
    from audiofix.audio.pcm import HEADERLESS

    return HEADERLESS


def _metrics() -> Iterable[str]:
    from audiofix.verbs.evaluate import METRICS

    return METRICS


_WORDS: Mapping[str, Callable[[], Iterable[str]]] = {
    "model": _models,
    "name": _models,
    "names": _models,
    "config": _presets,
    "system": _recipes,
    "kind": _types,
    "encoding": _encodings,
    "metrics": _metrics,
    "device": lambda: ("auto", "cpu", "cuda", "mps"),
    "rate": lambda: ("8k", "16k", "44100", "48k"),
    "to": lambda: ("16k", "24k", "44100", "48k"),
}
"""Parameter -> what it can be."""

_LISTS = ("metrics",)
"""Parameters whose values stand with commas between them."""
