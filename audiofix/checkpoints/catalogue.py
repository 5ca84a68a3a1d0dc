"""Typed reading of `catalogue.toml`: which checkpoints exist, and which one a verb takes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from audiofix.errors import SettingsError, UnknownModel


@dataclass(frozen=True, slots=True)
class Entry:
    """One checkpoint of the catalogue.

    Attributes:
        name: what users call it.
        system: the family that reads it.
        verbs: what it can be used for.
        rate: samples per second of its result.
        channels: channels it processes at once.
        licence: of the weights, in words.
        source: the page it comes from.
        urls: where to fetch it; later ones are mirrors.
        sha256: of the fetched file, where its source states it.
        bytes: size of the fetched file, where its source states it.
        members: part -> patterns of its file inside the fetched archive, first match wins.
        config: settings of the network that its tensors do not tell.
        summary: what it is good for, in a few words.
        shipped: its file inside the package, for those that come with audiofix.
    """

    name: str
    system: str
    verbs: tuple[str, ...]
    rate: int
    channels: int
    licence: str
    source: str
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    bytes: int | None = None
    members: Mapping[str, list[str]] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    summary: str = ""
    shipped: str | None = None


def read_catalogue(text: str) -> Mapping[str, Entry]:
    """Return the entries of a catalogue in TOML.

    Raises:
        SettingsError: a table has an unknown key or lacks a needed one.
    """
    known = {item.name for item in fields(Entry)}
    entries = {}
    for name, table in tomllib.loads(text).items():
        for key in table:
            if key not in known:
                raise SettingsError(f"catalogue: {name}: unknown key {key}")
        for key in ("verbs", "urls"):
            table[key] = tuple(table.get(key, ()))
        try:
            entries[name] = Entry(name=name, **table)
        except TypeError as error:
            raise SettingsError(f"catalogue: {name}: {error}") from error
    return MappingProxyType(entries)


@cache
def entries() -> Mapping[str, Entry]:
    """Return the whole catalogue, name -> entry, in its own order."""
    return read_catalogue((files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))


def entry(name: str) -> Entry:
    """Return the entry of this name.

    Raises:
        UnknownModel: names the nearest one.
    """
    try:
        return entries()[name]
    except KeyError:
        near = get_close_matches(name, entries(), 1)
        hint = f"did you mean {near[0]}?" if near else "`audiofix models list` shows what exists"
        raise UnknownModel(f"model {name}: unknown: {hint}") from None
