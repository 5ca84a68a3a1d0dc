"""What the words of options mean: rates, times, spans, choices."""

import math
import re
from typing import TYPE_CHECKING, Any

import click

from audiofix.errors import UsageError

if TYPE_CHECKING:
    from audiofix.audio.lossy import Coding

_LOWEST_RATE = 1000
"""Nobody listens to less; whoever asks for 48 means 48k."""


class Word(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A type that is read from text; a default that is read already stays as it is."""

    def read(self, text: str) -> Any:
        """Return what the text means.

        Raises:
            ValueError: says why it means nothing.
        """
        raise NotImplementedError

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what `read` returns; see click."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except (ValueError, UsageError) as error:
            self.fail(str(error), param, ctx)


class Rate(Word):
    """Samples per second: `48000`, `48k`, `44.1k`."""

    name = "rate"

    def read(self, text: str) -> int:
        """Return samples per second, 1 to 10 million."""
        rate = _hertz(text)
        if not 1 <= rate <= 10_000_000 or rate != round(rate):
            raise ValueError(f"{text}: not a rate: write 48000, 48k or 44.1k")
        return round(rate)


class ResultRate(Rate):
    """A rate that somebody wants sound at; below 1 kHz, kHz may have been meant."""

    def read(self, text: str) -> int:
        """Return samples per second, 1000 at least."""
        rate = super().read(text)
        if rate < _LOWEST_RATE:
            raise ValueError(f"{text}: that is {rate} Hz: did you mean {rate}k?")
        return rate


class Rates(Word):
    """Rates with commas between them: `8k,16k`."""

    name = "rates"

    def read(self, text: str) -> tuple[int, ...]:
        """Return samples per second, each once, in the order given."""
        return tuple(dict.fromkeys(Rate().read(one) for one in text.split(",")))


class Choices(Word):
    """Some of a few words, with commas between them."""

    name = "choices"

    def __init__(self, *words: str) -> None:
        """Allow these words."""
        self._words = words

    def read(self, text: str) -> tuple[str, ...]:
        """Return the words, each once, in the order given."""
        chosen = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
        for word in chosen:
            if word not in self._words:
                raise ValueError(f"{word}: not one of {', '.join(self._words)}")
        return chosen


class Shard(Word):
    """One of several parts: `3/16`."""

    name = "number/count"

    def read(self, text: str) -> tuple[int, int]:
        """Return the number, counted from 1, and the count."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal()) or not 1 <= int(number) <= int(count):
            raise ValueError(f"{text}: not a shard: write NUMBER/COUNT, as in 3/16")
        return int(number), int(count)


class Span(Word):
    """First and last of numbered things: `10-15`, or one alone: `3`."""

    name = "first-last"

    def read(self, text: str) -> tuple[int, int]:
        """Return the two numbers, the first not above the last."""
        first, dash, last = text.partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal()) or int(first) > int(last):
            raise ValueError(f"{text}: not a span: write FIRST-LAST, as in 10-15")
        return int(first), int(last)


class Codings(Word):
    """Lossy codecs with commas between them: `mp3:64k,opus:32k,mp3:v4`."""

    name = "codings"

    def read(self, text: str) -> tuple["Coding", ...]:
        """Return codecs and bit rates, each once, in the order given."""
        from audiofix.audio.lossy import parse_coding

        return tuple(dict.fromkeys(parse_coding(word) for word in text.split(",") if text))


class Seconds(Word):
    """A time: `12.5`, `1:23.5` or `1:02:03`."""

    name = "time"

    def read(self, text: str) -> float:
        """Return seconds, 0 or more."""
        seconds = 0.0
        for part in text.split(":"):
            if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", part):
                raise ValueError(f"{text}: not a time: write 12.5, 1:23.5 or 1:02:03")
            seconds = 60 * seconds + float(part)
        return seconds


class Cutoff(Word):
    """`auto`, or a frequency: `4000`, `4k`, `3.4kHz`. None stands for `auto`."""

    name = "auto|hz"

    def read(self, text: str) -> float | None:
        """Return Hz, None for `auto`."""
        if text.strip().lower() == "auto":
            return None
        hertz = _hertz(text)
        if not 0 < hertz < 10_000_000:
            raise ValueError(f"{text}: not a frequency: write auto, 4000 or 4k")
        return hertz


class Number(click.FloatRange):
    """A number within limits; what is no number lies within none."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value}: not a number", param, ctx)
        return number


def _hertz(text: str) -> float:
    """Return what `hertz_of` does, 0 for what means no frequency."""
    from audiofix.audio.format import hertz_of

    try:
        return hertz_of(text)
    except ValueError:
        return 0.0
