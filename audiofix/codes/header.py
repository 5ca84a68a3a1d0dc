"""The header of a code stream: its layout and the recording's tags, as JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from audiofix.codes.layout import CodeLayout
from audiofix.codes.packet import MOST_PAYLOAD_BYTES
from audiofix.errors import InputError

VERSION = 2
_FIRST_VERSION = 1
"""Has no identity; its packets belong to any stream."""

Tags = dict[str, list[str]]
"""Names (`title`, `artist`, ...) and their values."""

_FIELDS = tuple(field.name for field in fields(CodeLayout))


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says.

    Attributes:
        layout: what the codes are.
        tags: title, artist, ... of the recording.
        identity: what the checks of this stream's packets begin with; nothing in version 1.
    """

    layout: CodeLayout
    tags: Tags
    identity: bytes


def write_header(layout: CodeLayout, tags: Mapping[str, Sequence[str]], identity: bytes) -> bytes:
    """Return the header's JSON, the same bytes for the same layout, tags and identity.

    Raises:
        InputError: the tags do not fit.
    """
    known = {name: value for name, value in asdict(layout).items() if value is not None}
    kept = _whole_tags({name: list(values) for name, values in tags.items()})
    told = {
        "version": VERSION,
        "identity": identity.hex(),
        **known,
        **({"tags": kept} if kept else {}),
    }
    header = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    if len(header) > MOST_PAYLOAD_BYTES:
        raise InputError(f"tags: {len(header)} bytes of text: shorten them to below 64 KiB")
    return header


def read_header(header: bytes) -> Header:
    """Return what a header says; keys that are not known are passed over.

    Raises:
        InputError: it is of a later version, or says what cannot be.
    """
    told = _parse(header)
    version = told.get("version")
    if type(version) is not int or not _FIRST_VERSION <= version <= VERSION:
        raise InputError(
            f"its codes are of version {version!r:.20}: "
            f"this audiofix reads versions {_FIRST_VERSION} to {VERSION}: update it"
        )
    identity = told.get("identity") if version > _FIRST_VERSION else ""
    if not isinstance(identity, str) or not re.fullmatch(r"([0-9a-f]{16})?", identity):
        raise InputError("its header has no identity: encode again")
    known: dict[str, Any] = {name: told.get(name) for name in _FIELDS}
    return Header(CodeLayout(**known), _whole_tags(told.get("tags")), bytes.fromhex(identity))


def _parse(header: bytes) -> dict[str, Any]:
    try:
        told = json.loads(header.decode())
    except (ValueError, RecursionError) as error:
        raise InputError("its header is not JSON: encode again") from error
    if not isinstance(told, dict):
        raise InputError("its header is not a JSON object: encode again")
    return told


def _whole_tags(tags: object) -> Tags:
    """Return the tags that are what tags should be. Broken ones are no reason to refuse sound."""
    if not isinstance(tags, dict):
        return {}
    return {
        name: values
        for name, values in tags.items()
        if isinstance(values, list) and all(map(_is_text, [name, *values]))
    }


def _is_text(value: object) -> bool:
    """Return whether `value` is text that can be written: JSON can smuggle half characters in."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
