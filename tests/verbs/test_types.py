"""Values of shared options."""

import click
import pytest

from audiofix.verbs.types import Choices, Cutoff, Rate, Rates


@pytest.mark.parametrize(
    ("text", "rate"),
    [("48k", 48000), ("44.1k", 44100), ("44100", 44100), ("16K", 16000), ("8kHz", 8000),
     ("11.025k", 11025), ("48000Hz", 48000), ("1", 1)],
)  # fmt: skip
def test_rates(text: str, rate: int) -> None:
    assert Rate().convert(text, None, None) == rate


@pytest.mark.parametrize("text", ["", "k", "fast", "0", "-8k", "44.1", "nan", "inf", "1e9", "8kk"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a rate"):
        Rate().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "hertz"), [("auto", None), ("4000", 4000.0), ("3.4k", 3400.0), ("4kHz", 4000.0)]
)
def test_cutoffs(text: str, hertz: float | None) -> None:
    assert Cutoff().convert(text, None, None) == hertz


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "high"])
def test_what_is_no_cutoff(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a frequency"):
        Cutoff().convert(text, None, None)


def test_lists_keep_their_order_and_drop_repetitions() -> None:
    assert Rates().convert("16k,8000,16000", None, None) == (16000, 8000)
    assert Choices("a", "b", "c").convert("c, a,c", None, None) == ("c", "a")


@pytest.mark.parametrize(("kind", "text"), [(Rates(), "8k,"), (Rates(), ""), (Choices("a"), "a,b")])
def test_what_is_no_list(kind: click.ParamType, text: str) -> None:
    with pytest.raises(click.BadParameter, match="not"):
        kind.convert(text, None, None)
