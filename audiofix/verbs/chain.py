"""`audiofix chain`: several verbs in one process, as a shell pipe would join them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import click
from click.core import ParameterSource

from audiofix.errors import UsageError
from audiofix.jobs.job import Stream
from audiofix.jobs.options import AudioOptions
from audiofix.jobs.sound import SoundEffect
from audiofix.verbs import VERBS
from audiofix.verbs.decode import Decode
from audiofix.verbs.encode import Encode
from audiofix.verbs.options import audio_verb_of_models

if TYPE_CHECKING:
    from audiofix.streaming.stage import Stage

EXAMPLES = (
    ("What a pipe of three commands does, in one",
     "audiofix chain 'encode | decode | upsample --to 48k' x.wav -o y.wav"),
    ("A folder, each file through the whole chain",
     "audiofix chain 'upsample --to 48k | encode --codebooks 4 | decode' talks/ -o out/ -j 2"),
)  # fmt: skip

_WORD = re.compile(r"""\||(?:[^\s|'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""")
_INHERITED = ("device", "precision", "seed", "offline")
"""Options of a chain that its verbs take over."""

_REFUSED = (
    "inputs", "output", "kind", "bits", "rate", "channels", "encoding", "threads", "jobs", "ray",
    "manifest", "shard",
    "skip_existing", "overwrite", "start", "duration", "keep_going", "progress", "quiet", "verbose",
    "realtime", "mic", "play", "device_name", "dry_run", "picture",
)  # fmt: skip
"""Options of the verbs that are the chain's own, or that do something else than pass sound on."""

_SPEECH = ("progress", "quiet", "verbose")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the chain, and the column that it begins at, counted from 1."""

    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Codec(SoundEffect):
    """`encode | decode` within a chain."""

    encode: Encode
    decode: Decode

    def load(self) -> Any:
        """Load the encoder's model, and return it beside what opens the decoder's."""
        return self.encode.load(), self.decode.load()

    def stage(self, source: Stream, loaded: Any) -> "Stage":
        """Return a fresh stage for one stream."""
        from audiofix.streaming.decoding import refuse_other_codebooks
        from audiofix.streaming.roundtrip import RoundTrip

        encoder, opening = loaded
        decoder = opening(encoder.layout)
        refuse_other_codebooks(decoder, encoder.layout, "chain")
        return RoundTrip(
            encoder,
            source.format,
            codebooks=self.encode.codebooks_of(encoder),
            decoder=lambda: decoder.decoder(source.format.channels, vocoder=self.decode.vocoder),
        )


@dataclass(frozen=True, slots=True)
class Chained(SoundEffect):
    """The effect of this verb."""

    keeps_bits: ClassVar[bool] = False

    parts: tuple[SoundEffect, ...]

    @property
    def exact(self) -> bool:
        """Whether the first part takes float64, and with it what is not finite."""
        return self.parts[0].exact

    def load(self) -> tuple[Any, ...]:
        """Load every part's model."""
        return tuple(part.load() for part in self.parts)

    def stage(self, source: Stream, loaded: tuple[Any, ...]) -> "Stage":
        """Return the parts' stages in a row."""
        from audiofix.streaming.chain import Chain
        from audiofix.streaming.widened import Widened

        stages: list[Stage] = []
        for part, model in zip(self.parts, loaded, strict=True):
            stage = part.stage(source, model)
            stages.append(Widened(stage) if part.exact else stage)
            source = Stream(source.name, stages[-1].result)
        return Chain(*stages)


@click.command("chain")
@click.argument("stages", metavar="'VERB [OPTIONS] | ...'")
@audio_verb_of_models
def command(options: AudioOptions, stages: str) -> Chained:
    """Send sound through several verbs, in one process.

    The first argument names the verbs as a shell pipe would, without `audiofix`, each with its own
    options. The result is that of the pipe, to the byte, so its samples are 32-bit floats where -b
    does not say otherwise and the type holds them. The input's tags are kept.

    --device, --precision, --seed and --offline hold for every verb that does not say otherwise.
    """
    parts: list[SoundEffect] = []
    encode: Encode | None = None
    for words in _stages(stages):
        effect = _effect(words, options)
        if encode is not None:
            if not isinstance(effect, Decode):
                raise _misplaced(words[0], "encode gives codes: put decode behind it")
            effect, encode = Codec(encode, effect), None
        if isinstance(effect, Decode):
            raise _misplaced(words[0], "decode takes codes: put encode before it")
        if isinstance(effect, Encode):
            encode = effect
        else:
            parts.append(effect)
    if encode is not None:
        raise _misplaced(words[0], "a chain ends with sound: add `| decode`")
    return Chained(tuple(parts))


def _stages(text: str) -> Iterator[list[Word]]:
    """Yield the words of each stage, at least one, in the quotes and escapes of the shell."""
    stage: list[Word] = []
    end = 0
    for found in _WORD.finditer(text):
        if text[end : found.start()].strip():
            break
        end = found.end()
        word = Word(found.start() + 1, found.group())
        if word.text != "|":
            stage.append(replace(word, text=shlex.split(word.text)[0]))
            continue
        if not stage:
            raise _misplaced(word, "no verb before it")
        yield stage
        stage = []
    if text[end:].strip():
        raise _misplaced(Word(end + 1, text[end:].strip()), "a quote that does not end")
    if not stage:
        raise _misplaced(Word(len(text) + 1, "the end"), "a verb is missing: name one")
    yield stage


def _effect(words: list[Word], options: AudioOptions) -> SoundEffect | Encode | Decode:
    """Return what one stage does.

    Args:
        words: the verb and its options.
        options: the chain's; its device, precision, seed and offline are the default.

    Raises:
        UsageError: the verb or an option is unknown, or of no use in a chain; names the place.
    """
    verb, *rest = words
    callback = import_module(VERBS[verb.text][0]).command.callback if verb.text in VERBS else None
    effect_of = getattr(callback, "effect_of", None)
    if callback is None or effect_of is None:
        raise _misplaced(verb, f"no verb from sound to sound: use one of {', '.join(VERBS)}")
    command = import_module(VERBS[verb.text][0]).command
    try:
        context = command.make_context(verb.text, [word.text for word in rest])
    except click.UsageError as error:
        message = error.format_message().rstrip(".")
        raise _misplaced(_culprit(error, words), message) from error
    own = dict(context.params)
    for parameter in command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name in _REFUSED:
            word = next((word for word in rest if word.text in parameter.opts), verb)
            raise _misplaced(word, "not within a chain: it holds for the whole, or not at all")
        if not given and name in _INHERITED:
            own[name] = getattr(options, name)
    shared = {field.name: own.pop(field.name, None) for field in fields(AudioOptions)}
    for name in _SPEECH:
        own.pop(name)
    try:
        effect = effect_of(AudioOptions(**shared), **own)
    except UsageError as error:
        raise UsageError(f"chain, column {verb.column}: {error}") from error
    if not isinstance(effect, SoundEffect | Encode | Decode):
        raise _misplaced(verb, "takes no sound: leave it out")
    return effect


def _culprit(error: click.UsageError, words: list[Word]) -> Word:
    """Return the word that click complains about, the verb where it names none."""
    parameter = getattr(error, "param", None)
    names = {getattr(error, "option_name", None), *(parameter.opts if parameter else ())}
    return next((word for word in words if word.text.partition("=")[0] in names), words[0])


def _misplaced(word: Word, message: str) -> UsageError:
    return UsageError(f"chain, column {word.column}: {word.text}: {message}")
