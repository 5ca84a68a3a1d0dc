"""The options that verbs share."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

import click

from audiofix.jobs.job import Effect
from audiofix.jobs.options import AudioOptions, Computing, Shell
from audiofix.verbs.types import Number, Rate, Seconds, Shard

_BATCH = [
    click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True,
                 metavar="N", help="Files of a batch, or windows of one file, at once."),
    click.option("--ray", metavar="ADDRESS",
                 help="Process a batch, or one file's windows, on this Ray cluster."),
    click.option("--manifest", metavar="FILE",
                 help="Process what a CSV file lists: columns input and, perhaps, output."),
    click.option("--shard", type=Shard(), metavar="N/COUNT",
                 help="Process only the N-th of COUNT parts of a batch."),
    click.option("--skip-existing", is_flag=True, help="Leave outputs that exist as they are."),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    click.option("--keep-going/--fail-fast", default=True, show_default=True,
                 help="After a file of a batch failed."),
]  # fmt: skip
_COMPUTING = [
    click.option("-m", "--model", metavar="NAME|FILE|best",
                 help="Model name, checkpoint file or URL, or the best released one."),
    click.option("--device", metavar="DEVICE", default="auto", show_default=True,
                 help="auto, cpu, cuda, cuda:N or mps."),
    click.option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
                 default="auto", show_default=True, help="Type of the matrix products."),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
                 metavar="N",
                 help="The same seed gives the same bytes."),
    click.option("--offline", is_flag=True, help="Never touch the network."),
]  # fmt: skip
_FORMATS = [
    click.option("-o", "--output", metavar="PATH",
                 help="A file, a folder, or - for standard output."),
    click.option("-t", "--type", "kind", metavar="TYPE",
                 help="Type of the output; else from its extension, else wav."),
    click.option("-b", "--bits", type=click.Choice(["16", "24", "32", "32f", "64f"]),
                 help="Sample format of the output; else the input's, 32f on a pipe."),
]  # fmt: skip
_EXCERPT = [
    click.option("--start", type=Seconds(), default="0", metavar="TIME",
                 help="Leave out what comes before: seconds, or 1:23.5."),
    click.option("--duration", type=Seconds(), metavar="TIME",
                 help="Process so much from there on, to try things out."),
]  # fmt: skip
_HEADERLESS = [
    click.option("-r", "--rate", type=Rate(), help="Rate of a headerless input."),
    click.option("-c", "--channels", type=click.IntRange(1, 256), metavar="N",
                 help="Channels of a headerless input."),
    click.option("-e", "--encoding", metavar="ENC", help="Encoding of a headerless input."),
]  # fmt: skip
_SAMPLING = [
    click.option(
        "--steps",
        type=click.IntRange(min=1),
        metavar="N",
        help="Sampling steps, for diffusion models.",
    ),
    click.option(
        "--sampler",
        type=click.Choice(["fast", "published"]),
        default="fast",
        show_default=True,
        help="How a diffusion model samples.",
    ),
]
_SPEECH = [
    click.option("--progress/--no-progress", default=None, help="Bars; default: on a terminal."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    click.option("-v", "--verbose", count=True, help="Say what was chosen and why; -vv: more."),
]


def hiding(*names: str) -> Callable[[click.Command], click.Command]:
    """Leave options out of a command's help that do nothing for it.

    They are read all the same: a script may give every verb the same ones.
    """

    def hidden(command: click.Command) -> click.Command:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name in names:
                parameter.hidden = True
        return command

    return hidden


def _apply(decorators: list[Callable[[Any], Any]], function: Any) -> Any:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def talkative(function: Callable[..., None]) -> Callable[..., None]:
    """Add --progress, -q and -v, which configure the shell before the verb runs."""

    @wraps(function)
    def configured(*args: Any, progress: bool | None, quiet: bool, verbose: int, **kw: Any) -> None:
        shell().configure(quiet=quiet, verbosity=verbose, progress=progress)
        function(*args, **kw)

    decorated: Callable[..., None] = _apply(_SPEECH, configured)
    return decorated


def shell() -> Shell:
    """Return the process shell of the command that runs."""
    found: Shell = click.get_current_context().find_root().obj
    return found


def load_model(task: str, computing: Computing, *, rate: int = 0, denoise: bool = False) -> Any:
    """Load the model of an effect; see `audiofix.backends.systems.load`."""
    from audiofix.backends.chosen import expected

    expected(task, computing, rate=rate, denoise=denoise)
    from audiofix.backends.systems import load_for

    return load_for(task, computing, rate=rate, denoise=denoise)


def headerless_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add -r, -c and -e alone, for verbs that only read."""
    decorated: Callable[..., None] = _apply(_HEADERLESS, function)
    return decorated


def computing_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add -m, --device, --precision, --threads, --seed and --offline."""
    decorated: Callable[..., None] = _apply(_COMPUTING, function)
    return decorated


def output_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add -o, -t, -b and --overwrite, for verbs that only write."""
    overwrite = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
    decorated: Callable[..., None] = _apply([*_FORMATS, overwrite], function)
    return decorated


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --steps and --sampler."""
    decorated: Callable[..., Any] = _apply(_SAMPLING, function)
    return decorated


mix_option = click.option(
    "--mix",
    type=Number(0, 1),
    default=1.0,
    show_default=True,
    metavar="0..1",
    help="Share of the model in the result; the rest is the input.",
)


def audio_verb(function: Callable[..., Effect | None]) -> Callable[..., None]:
    """Add the shared options, and perform the effect that the verb returns.

    The verb receives the shared options as its first argument, `AudioOptions`. `effect_of` of the
    decorated function is the verb itself, which performs nothing.
    """
    return _performing(function, _COMPUTING)


def audio_verb_of_models(function: Callable[..., Effect | None]) -> Callable[..., None]:
    """Do as `audio_verb`, but without -m: the verb has other ways to name its models."""
    return _performing(function, _COMPUTING[1:])


def _performing(
    function: Callable[..., Effect | None], computing: list[Callable[[Any], Any]]
) -> Callable[..., None]:
    names = [field.name for field in fields(AudioOptions)]

    @wraps(function)
    def performed(*args: Any, **given: Any) -> None:
        options = AudioOptions(**{name: given.pop(name, None) for name in names})
        effect = function(options, *args, **given)
        if effect is not None:
            from audiofix.jobs.perform import perform

            perform(effect, options, shell())

    performed.__dict__["effect_of"] = function
    arguments = [click.argument("inputs", nargs=-1, metavar="[INPUT]...")]
    options = [*arguments, *_FORMATS, *_HEADERLESS, *_EXCERPT, *computing, *_BATCH]
    decorated: Callable[..., None] = _apply(options, talkative(performed))
    return decorated
