"""What tab completes behind options and in the place of arguments.

click asks a parameter for its completions; those that know none of their own are given some here,
by name, and file names otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import click
from click.shell_completion import CompletionItem

Words = Callable[[click.Context], Iterable[str]]
"""Returns what may stand in a place, of the command that is being typed."""


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
    words: Words | None, is_list: bool, context: click.Context, incomplete: str
) -> list[CompletionItem]:
    """Return the words that go on from `incomplete`; the shell's file names where none does."""
    done = incomplete[: incomplete.rfind(",") + 1] if is_list else ""
    known = words(context) if words else ()
    found = [done + word for word in known if word.startswith(incomplete[len(done) :])]
    if found:
        return [CompletionItem(word) for word in sorted(found)]
    return [CompletionItem(incomplete, type="file")]


def _models(context: click.Context) -> set[str]:
    """Return `best`, the catalogue's models for this verb (all for `eval`), and imported ones."""
    from audiofix.checkpoints.catalogue import entries

    verb = context.info_name
    fitting = {e.name for e in entries().values() if verb in e.verbs or verb == "eval"}
    return {"best", *fitting, *_imported()}


def _known_models(_: click.Context) -> set[str]:
    from audiofix.checkpoints.catalogue import entries

    return {*entries(), *_imported()}


def _imported() -> set[str]:
    from audiofix.checkpoints.store import model_path

    return {path.stem for path in model_path("any").parent.glob("*.safetensors")}


def _presets(context: click.Context) -> list[str]:
    """Return the presets of the system that is trained."""
    from audiofix.verbs.train import presets

    # click leaves words unparsed in front of an option that has no value yet.
    given = (*context.args, context.params.get("system"))
    return [preset for preset in presets() if preset.partition("-")[0] in given] or presets()


def _recipes(_: click.Context) -> Iterable[str]:
    from audiofix.backends.table import RECIPES

    return RECIPES


def _types(_: click.Context) -> Iterable[str]:
    from audiofix.audio.types import TYPES

    return TYPES


def _encodings(_: click.Context) -> Iterable[str]:
    from audiofix.audio.pcm import HEADERLESS

    return HEADERLESS


def _metrics(_: click.Context) -> Iterable[str]:
    from audiofix.verbs.evaluate import METRICS

    return METRICS


_WORDS: Mapping[str, Words] = {
    "model": _models,
    "name": _known_models,
    "names": _known_models,
    "config": _presets,
    "system": _recipes,
    "kind": _types,
    "encoding": _encodings,
    "metrics": _metrics,
    "device": lambda _: ("auto", "cpu", "cuda", "mps"),
    "rate": lambda _: ("8k", "16k", "44100", "48k"),
    "to": lambda _: ("16k", "24k", "44100", "48k"),
}
"""Parameter -> what it can be."""

_LISTS = ("metrics",)
"""Parameters whose values stand with commas between them."""
