"""Text of files, tags and servers, made safe for terminals and for any encoding."""

import json
from typing import Any
from unicodedata import category


def printable(text: object) -> str:
    r"""Return `text` with everything that a terminal could act on, or not encode, as an escape.

    >>> print(printable("a\x1b[31m\nb\u202e\udcff"), printable("Größe 音"))
    a\x1b[31m\nb\u202e\udcff Größe 音
    """
    return "".join(
        letter if _is_harmless(letter) else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


def json_text(value: Any) -> str:
    r"""Return `value` as JSON that is readable, and safe as `printable` is.

    >>> print(json_text({"title": "Größe\x9b\udcff"}))
    {
      "title": "Größe\u009b\udcff"
    }
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(
        letter if letter == "\n" or _is_harmless(letter) else json.dumps(letter)[1:-1]
        for letter in text
    )


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or category(letter) == "Zs"
