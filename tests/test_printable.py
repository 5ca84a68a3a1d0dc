import json

import pytest

from audiofix.printable import json_text, printable


def test_what_a_terminal_could_act_on_is_escaped():
    hostile = "\x1b]0;title\x07\x1b[2J\r\n\t\x9b31m\x7f\u202egpj.exe\u2066\u200b"
    shown = printable(hostile)
    assert shown.isprintable() and "\\x1b[2J" in shown and "\\u202e" in shown


@pytest.mark.parametrize("text", ["take 1.wav", "Größe", "音楽.flac", "a\u3000b\u00a0c", ""])
def test_what_people_write_stays(text):
    assert printable(text) == text


def test_names_that_are_no_text_can_be_encoded():
    name = b"a\xff\xfe.wav".decode(errors="surrogateescape")
    assert printable(name).encode() == b"a\\udcff\\udcfe.wav"


def test_json_is_safe_and_loses_nothing():
    value = {"na\x1bme": ["\u202e", "\udcff", "Größe", "\n", "\U000e0001"], "n": [1, None]}
    text = json_text(value)
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n")) and "Größe" in text
